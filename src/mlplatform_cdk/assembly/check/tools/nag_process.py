"""The child process in which cdk-nag looks at templates: a scratch app includes each, and no synthesis is needed.

It reads a list of ``{"file", "account", "region"}`` and writes, for each, ``{"violations"}`` or ``{"error"}``.
"""

import json
import sys
from typing import Any

PACKS = ("AwsSolutionsChecks", "HIPAASecurityChecks", "NIST80053R5Checks", "PCIDSS321Checks")


def main() -> None:
    """Answer one request on stdin with one on stdout."""
    import cdk_nag
    from aws_cdk import App

    app = App()
    packs = [getattr(cdk_nag, name)() for name in PACKS]
    requests = json.load(sys.stdin)
    json.dump([_look(app, packs, f"S{index}", request) for index, request in enumerate(requests)], sys.stdout)


def _look(app: Any, packs: list[Any], name: str, request: dict[str, Any]) -> dict[str, Any]:
    from aws_cdk import Environment, Stack
    from aws_cdk.cloudformation_include import CfnInclude

    try:
        stack = Stack(app, name, env=Environment(account=request["account"], region=request["region"]))
        CfnInclude(stack, "Template", template_file=request["file"], allow_cyclical_references=True)
        return {"violations": [one for pack in packs for one in _violations(pack, stack)]}
    except RuntimeError as error:  # what jsii makes of an exception in Node
        return {"error": str(error).strip().splitlines()[0]}


def _violations(pack: Any, stack: Any) -> list[dict[str, str]]:
    return [
        {
            "rule": violation.rule_name,
            "message": violation.description,
            "severity": violation.severity or "error",
            # S0/Template/LogicalId
            "logical_id": resource.construct_path.split("/")[2],
        }
        for violation in pack.validate_scope(stack).violations
        for resource in violation.violating_resources
    ]


if __name__ == "__main__":
    main()

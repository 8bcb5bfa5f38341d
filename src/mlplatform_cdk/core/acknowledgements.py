"""Security findings that stay, each with its reason, beside the construct that causes it."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aws_cdk import Acknowledgment, CfnResource, Validations
from constructs import IConstruct

from mlplatform_cdk.core.access import Access
from mlplatform_cdk.core.answers import asked_once, resource_of, stack_of
from mlplatform_cdk.core.errors import is_known


def acknowledge(construct: IConstruct, findings: Mapping[str, str]) -> None:
    """Accept findings on ``construct`` and all below it.

    :param findings: rule id, such as ``AwsSolutions-IAM5[Resource::*]``, to the reason it may stay.
    """
    _acknowledge(construct, findings.items())


def _acknowledge(construct: IConstruct, findings: Iterable[tuple[str, str]]) -> None:
    _validations(construct).acknowledge(*(Acknowledgment(id=rule, reason=reason) for rule, reason in findings))


@asked_once
def _validations(construct: IConstruct) -> Validations:
    return Validations.of(construct)


def acknowledge_controls(construct: IConstruct, controls: Mapping[str, str]) -> None:
    """Accept that ``construct``, and all below it, departs from controls of the HIPAA, NIST and PCI packs alike.

    :param controls: the rule without its pack, such as ``LambdaInsideVPC``, to the reason it may stay.
    """
    packs = ("HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321")
    acknowledge(construct, {f"{pack}-{rule}": reason for rule, reason in controls.items() for pack in packs})


def accept_lint(resource: CfnResource, rules: Mapping[str, str]) -> None:
    """Accept warnings of cfn-lint on ``resource``, in the template itself, where every run of cfn-lint sees it.

    :param rules: the rule's id to the reason it may stay.
    """
    resource.add_metadata("cfn-lint", {"config": {"ignore_checks": [*rules]}, "reasons": dict(rules)})


def accept_checkov(construct: IConstruct, checks: Mapping[str, str], *, is_new: bool = False) -> None:
    """Accept failed checks of checkov on the resource of ``construct``, in the template, where every run sees it.

    :param checks: the check's id, such as ``CKV_AWS_117``, to the reason it may stay.
    :param is_new: the caller just made ``construct``, so that nothing is accepted on it yet; default: Node is asked.
    """
    resource = resource_of(construct)
    earlier = [] if is_new else (resource.get_metadata("checkov") or {}).get("skip", [])
    resource.add_metadata(
        "checkov", {"skip": [*earlier, *({"id": id_, "comment": reason} for id_, reason in checks.items())]}
    )


def acknowledge_wildcards(construct: IConstruct, resources: Mapping[str, str]) -> None:
    """Accept that policies of ``construct``, and of all below it, name these resources by a pattern.

    :param resources: a resource's ARN as the policy has it, such as ``bucket.arn_for_objects("*")``, to the reason.
    """
    new = _new_patterns(construct, resources.items())
    if new:
        _acknowledge(construct, new)


def acknowledge_access(role: IConstruct, access: Sequence[Access]) -> None:
    """Accept all that ``access`` says of itself on ``role``, which has got it: in one message to Node."""
    findings = _new_patterns(role, [entry for one in access for entry in one.patterns.items()])
    findings += [entry for one in access for entry in one.findings.items()]
    if findings:
        _acknowledge(role, findings)


def _new_patterns(construct: IConstruct, resources: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The findings of those resources that are not accepted yet: reading and writing one prefix share a pattern."""
    accepted = _accepted_patterns(construct)
    new = []
    for arn, reason in resources:
        if accepted.get(arn) != reason:
            accepted[arn] = reason
            new.append((arn, reason))
    arns = [arn for arn, _ in new]
    # One question to Node for all, and none where no ARN holds a token.
    resolved = arns if all(map(is_known, arns)) else stack_of(construct).resolve(arns)
    return [
        (f"AwsSolutions-IAM5[Resource::{_flat(arn)}]", reason) for arn, (_, reason) in zip(resolved, new, strict=True)
    ]


@asked_once
def _accepted_patterns(_construct: IConstruct) -> dict[str, str]:
    return {}


def _flat(value: Any) -> str:
    """An ARN with its references as cdk-nag writes them: ``<Bucket83908E77.Arn>/*``."""
    if isinstance(value, str):
        return re.sub(r"\$\{([^}]*)\}", r"<\1>", value)
    match value:
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(map(_flat, parts))
        case {"Fn::Sub": inner} | {"Fn::ImportValue": inner}:
            return _flat(inner)
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{resource}.{attribute}>"
        case {"Ref": name}:
            return f"<{name}>"
    return json.dumps(value, separators=(",", ":"))

"""Stacks of this room as its tests want them, and what the checkers find in them."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from aws_cdk import App, Environment, Stack, Validations
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

from mlplatform_cdk.foundation import PlatformStack
from tests import linting

HERE = Environment(account="123456789012", region="eu-west-1")


def stack_in(region: str = "eu-west-1", *, outdir: str | None = None, app: App | None = None) -> Stack:
    app = app or (App(outdir=outdir) if outdir else App())
    return PlatformStack(app, "Stack", env=Environment(account=HERE.account, region=region))


def of_type(stack: Stack, kind: str) -> list[dict[str, Any]]:
    resources: dict[str, dict[str, Any]] = Template.from_stack(stack).to_json()["Resources"]
    return [one["Properties"] for one in resources.values() if one["Type"] == kind]


def findings(stack: Stack, outdir: Path, construct: str) -> list[str]:
    """What cdk-nag's four packs and cfn-lint have against ``construct``, a child of ``stack``."""
    app = stack.node.root
    s3.CfnBucket(stack, "Unchecked")
    packs = (AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks)
    Validations.of(app).add_plugins(*(pack(app) for pack in packs))
    with suppress(RuntimeError):  # for the bucket
        app.synth()  # type: ignore[attr-defined]
    report = (outdir / "validation-report.json").read_text()
    assert "Stack/Unchecked" in report  # the packs have looked
    lint = linting.findings(outdir / "Stack.template.json", stack.region)
    nag = [line.strip() for line in report.splitlines() if f"Stack/{construct}" in line]
    return [*lint, *nag]

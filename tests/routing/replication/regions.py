"""Stacks of two regions over one plan, as the tests of replication want them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from aws_cdk import App, Environment, Validations
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

from mlplatform_cdk.foundation import PlatformStack
from mlplatform_cdk.routing.replication import RegionalData
from tests import linting

ACCOUNT, OTHER_ACCOUNT = "123456789012", "222222222222"
HOME, THERE = "eu-west-1", "us-east-1"
PLAN = RegionalData(name="churn-prod", home=HOME, account=ACCOUNT, regions=[HOME, THERE])
THEIR_KEY = f"arn:aws:kms:{THERE}:{OTHER_ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TWO_ACCOUNTS = RegionalData(
    name="churn-prod",
    home=HOME,
    account=ACCOUNT,
    regions={HOME: ACCOUNT, THERE: OTHER_ACCOUNT},
    key_arns={THERE: THEIR_KEY},
)
_PACKS = (AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks)


class Region:
    """One region's stack, in an app of its own: nothing can refer to another region's."""

    def __init__(self, region: str = HOME, *, account: str = ACCOUNT, outdir: Path | None = None) -> None:
        self.region, self._outdir = region, outdir
        self.app = App(outdir=str(outdir)) if outdir else App()
        self.stack = PlatformStack(self.app, "Data", env=Environment(account=account, region=region))

    @cached_property
    def template(self) -> Mapping[str, Any]:
        return Template.from_stack(self.stack).to_json()

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [one["Properties"] for one in self.template["Resources"].values() if one["Type"] == kind]

    def statements(self, id: str) -> list[dict[str, Any]]:
        """Those of the managed policies whose logical id begins with ``id``."""
        policies = [
            one["Properties"]["PolicyDocument"]["Statement"]
            for name, one in self.template["Resources"].items()
            if one["Type"] == "AWS::IAM::ManagedPolicy" and name.startswith(id)
        ]
        return [statement for policy in policies for statement in policy]

    def findings(self) -> Sequence[str]:
        """What four packs of cdk-nag, and cfn-lint in this region, find fault with."""
        assert self._outdir is not None
        s3.CfnBucket(self.stack, "Unchecked")
        Validations.of(self.app).add_plugins(*(pack(self.app) for pack in _PACKS))
        with suppress(RuntimeError):  # for the bucket
            self.app.synth()
        report = (self._outdir / "validation-report.json").read_text()
        assert "Data/Unchecked" in report  # the packs have looked
        linted = linting.findings(self._outdir / "Data.template.json", self.region)
        ours = [line for line in report.splitlines() if '"Data/' in line and "Data/Unchecked" not in line]
        return [*ours, *linted]

"""A database of features in two regions, with cdk-nag's four packs looking on."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from aws_cdk import App, Environment, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

from mlplatform_cdk.foundation import Keys, Network, PlatformStack
from mlplatform_cdk.routing import FeatureDatabase, RegionalData, SqlFeatures

HOME, OTHER = "eu-west-1", "us-east-1"
PLAN = RegionalData(name="churn-prod", home=HOME, account="123456789012", regions=[HOME, OTHER])
GLOBAL = SqlFeatures(plan=PLAN, name="features", engine_version="17.9")
REPLICAS = SqlFeatures(plan=PLAN, name="small", engine_version="17.9", kind="replicas")


class Databases:
    """Both kinds in both regions, a stack for each region."""

    def __init__(self, outdir: Path) -> None:
        app = App(outdir=str(outdir))
        for region in (HOME, OTHER):
            stack = PlatformStack(app, region, env=Environment(account=PLAN.account, region=region))
            key = Keys(stack, "Keys").data
            vpc = ec2.Vpc.from_vpc_attributes(
                stack,
                "Vpc",
                vpc_id="vpc-12345678",
                availability_zones=[f"{region}a", f"{region}b"],
                isolated_subnet_ids=["subnet-12345678", "subnet-87654321"],
            )
            network = Network.from_vpc(stack, "Network", vpc=vpc)
            FeatureDatabase(stack, "Global", features=GLOBAL, network=network, key=key)
            FeatureDatabase(stack, "Replicas", features=REPLICAS, network=network, key=key, size="db.r8g.large")
        s3.CfnBucket(stack, "Unchecked")
        packs = (AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks)
        Validations.of(app).add_plugins(*(pack(app) for pack in packs))
        with suppress(RuntimeError):  # for the bucket
            app.synth()
        self.findings = (outdir / "validation-report.json").read_text()
        self.templates = {region: outdir / f"{region}.template.json" for region in (HOME, OTHER)}
        self.texts = {region: template.read_text() for region, template in self.templates.items()}

    def of(self, region: str, kind: str) -> list[dict[str, Any]]:
        resources = json.loads(self.texts[region])["Resources"].values()
        return [one["Properties"] for one in resources if one["Type"] == f"AWS::RDS::{kind}"]

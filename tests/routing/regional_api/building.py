"""A regional API in a stack of its own, as the tests of this folder want it."""

from functools import cached_property
from typing import Any

from aws_cdk import App, Environment, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from mlplatform_cdk.core import grant, permission
from mlplatform_cdk.foundation import Keys, PlatformStack
from mlplatform_cdk.routing import HostedZoneReference, MultiRegionEndpoint
from mlplatform_cdk.routing.regional_api import RegionalApi
from mlplatform_cdk.serving import Endpoint

ZONE = HostedZoneReference(hosted_zone_id="Z0123456789ABC", zone_name="example.com")
PLAN = MultiRegionEndpoint(domain_name="models.example.com", zone=ZONE, regions=["eu-west-1", "us-east-1"])
HERE = Environment(account="123456789012", region="eu-west-1")


class Table:
    """A table of verdicts: ``endpoint`` is its key, and the row has what the probe writes."""

    def __init__(self, stack: PlatformStack, key: kms.IKey) -> None:
        self._key = key
        table = dynamodb.Table(
            stack,
            "Verdicts",
            partition_key=dynamodb.Attribute(name="endpoint", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.table_name, self._arn = table.table_name, table.table_arn

    def grant_read_verdict(self, grantee: iam.IGrantable) -> None:
        grant(grantee, permission(["dynamodb:Query"], self._arn), permission(["kms:Decrypt"], self._key.key_arn))


class Built:
    """A synthesized API."""

    def __init__(self, *, outdir: str | None = None, env: Environment = HERE, **more: Any) -> None:
        self.app = App(outdir=outdir) if outdir else App()
        self.stack = PlatformStack(self.app, "Front", env=env)
        self.key = Keys(self.stack, "Keys").data
        endpoint = Endpoint.from_endpoint_name(self.stack, "Endpoint", "churn")
        given: dict[str, Any] = {"plan": PLAN, "endpoint": endpoint, "verdicts": Table(self.stack, self.key)}
        self.api = RegionalApi(self.stack, "Api", key=self.key, **(given | more))

    @cached_property
    def template(self) -> dict[str, Any]:
        return Template.from_stack(self.stack).to_json()

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [one["Properties"] for one in self.template["Resources"].values() if one["Type"] == kind]

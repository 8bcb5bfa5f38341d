"""A regional API in a stack of its own, as the tests of this folder want it."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from aws_cdk import App, Environment
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from mlplatform_cdk.foundation import Keys, PlatformStack
from mlplatform_cdk.routing import FeatureFunction, HostedZoneReference, MultiRegionEndpoint, VerdictTable
from mlplatform_cdk.routing.regional_api import RegionalApi
from mlplatform_cdk.serving import Endpoint

ZONE = HostedZoneReference(hosted_zone_id="Z0123456789ABC", zone_name="example.com")
PLAN = MultiRegionEndpoint(domain_name="models.example.com", zone=ZONE, regions=["eu-west-1", "us-east-1"])
HERE = Environment(account="123456789012", region="eu-west-1")


class Built:
    """A synthesized API."""

    def __init__(
        self,
        *,
        outdir: str | None = None,
        env: Environment = HERE,
        app: App | None = None,
        name: str = "Front",
        features: Callable[[PlatformStack, Endpoint, kms.IKey], FeatureFunction] | None = None,
        **more: Any,
    ) -> None:
        self.app = app or (App(outdir=outdir) if outdir else App())
        self.stack = PlatformStack(self.app, name, env=env)
        self.key = Keys(self.stack, "Keys").data
        endpoint = Endpoint.from_endpoint_name(self.stack, "Endpoint", "churn")
        given: dict[str, Any] = {
            "plan": PLAN,
            "endpoint": endpoint,
            "verdicts": VerdictTable(self.stack, "Verdicts", key=self.key),
        }
        if features is not None:
            given["features"] = features(self.stack, endpoint, self.key)
        self.plan: MultiRegionEndpoint = (given | more)["plan"]
        self.api = RegionalApi(self.stack, "Api", key=self.key, **(given | more))

    @cached_property
    def template(self) -> Mapping[str, Any]:
        return Template.from_stack(self.stack).to_json()

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [one["Properties"] for one in self.template["Resources"].values() if one["Type"] == kind]

"""A region's front, synthesized for the same tests as the stacks: its API, by each way to know callers."""

from pathlib import Path

from aws_cdk import App
from aws_cdk import aws_kms as kms

from mlplatform_cdk.foundation import PlatformStack
from mlplatform_cdk.routing import Authorization, HostedZoneReference, MultiRegionEndpoint, RegionalApi, VerdictTable
from mlplatform_cdk.serving import Endpoint
from tests.delivery.conftest import CONTEXT, HOME
from tests.stacks.beside_people import HERE, KEY
from tests.stacks.conftest import Platform, read_stacks

ZONE = HostedZoneReference(hosted_zone_id="Z0123456789ABC", zone_name="example.com")
CALLERS = {
    "Signed": Authorization.iam(),
    "Keyed": Authorization.api_key(secret_name="models/key"),
    "Tokens": Authorization.jwt(issuer="https://id.example.com/", audience=["models"]),
}


def regional_api(folder: Path) -> Platform:
    """An API of one region for each way to know callers."""
    app = App(context=CONTEXT, outdir=str(folder / "cdk.out"))
    plan = MultiRegionEndpoint(domain_name="models.example.com", zone=ZONE, regions=[str(HOME.region), "eu-west-3"])
    for name, authorization in CALLERS.items():
        stack = PlatformStack(app, name, env=HOME)
        key = kms.Key.from_key_arn(stack, "Key", KEY)
        endpoint = Endpoint.from_endpoint_name(stack, "Endpoint", "churn")
        RegionalApi(
            stack,
            "Api",
            plan=plan,
            endpoint=endpoint,
            verdicts=VerdictTable(stack, "Verdicts", key=key),
            key=key,
            authorization=authorization,
        )
    app.synth()
    return Platform(HERE, read_stacks(folder / "cdk.out"), ())

"""The plan of the tests of this folder, and a topic."""

from aws_cdk import Stack

from mlplatform_cdk.foundation import Keys, Notifications
from mlplatform_cdk.routing import HostedZoneReference, MultiRegionEndpoint, RegionalTarget

ZONE = HostedZoneReference(hosted_zone_id="Z0123456789ABC", zone_name="example.com")
THEIRS = "210987654321"
PLAN = MultiRegionEndpoint(
    domain_name="models.example.com",
    zone=ZONE,
    regions={"eu-west-1": RegionalTarget(), "us-west-2": RegionalTarget(account=THEIRS)},
)
SINK = f"arn:aws:oam:eu-west-1:{THEIRS}:sink/0a1b2c3d-4e5f"
CHECKS = {"eu-west-1": "check-1", "us-west-2": "check-2"}


def topic_of(stack: Stack) -> Notifications:
    return Notifications(stack, "Topic", key=Keys(stack, "Keys").data, emails=["oncall@example.com"])

"""A stack that never looks anything up, so that it is synthesized the same way on every machine."""

import jsii
from aws_cdk import Fn, Stack

_ZONES_ASKED_FOR = 3


class PlatformStack(Stack):
    """A ``Stack`` whose zones are those of the account at deployment.

    CDK would ask an account for a fixed region's zones while synthesizing, and fail without one.
    """

    @property
    @jsii.member(jsii_name="availabilityZones")
    def availability_zones(self) -> list[str]:
        """Three zones, as tokens; a region with two has no third to select, so use only as many as it has."""
        zones = Fn.get_azs()
        return [Fn.select(index, zones) for index in range(_ZONES_ASKED_FOR)]

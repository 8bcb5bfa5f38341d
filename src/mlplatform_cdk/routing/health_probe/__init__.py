"""Health that means something: a region's own probe, and the table of its verdict."""

from mlplatform_cdk.routing.health_probe.construct import HealthProbe
from mlplatform_cdk.routing.health_probe.credentials import ClientCredentials
from mlplatform_cdk.routing.health_probe.verdicts import VerdictTable

__all__ = ["ClientCredentials", "HealthProbe", "VerdictTable"]

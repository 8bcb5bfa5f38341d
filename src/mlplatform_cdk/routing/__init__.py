"""Many regions behind one name: what each region owns, and the names that lead there."""

from mlplatform_cdk.routing.plan import (
    HealthCheckSettings,
    HostedZoneReference,
    MultiRegionEndpoint,
    ProbeSettings,
    RegionalTarget,
    Routing,
)

__all__ = [
    "HealthCheckSettings",
    "HostedZoneReference",
    "MultiRegionEndpoint",
    "ProbeSettings",
    "RegionalTarget",
    "Routing",
]

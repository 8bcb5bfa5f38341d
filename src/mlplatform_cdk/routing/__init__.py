"""Many regions behind one name: what each region owns, and the names that lead there."""

from mlplatform_cdk.routing.global_names import GlobalNames
from mlplatform_cdk.routing.health_probe import HealthProbe, VerdictTable
from mlplatform_cdk.routing.plan import (
    HealthCheckSettings,
    HostedZoneReference,
    MultiRegionEndpoint,
    ProbeSettings,
    RegionalTarget,
    Routing,
)
from mlplatform_cdk.routing.region_switches import RegionSwitches
from mlplatform_cdk.routing.regional_api import Authorization, Firewall, MutualTls, RegionalApi, Throttle

__all__ = [
    "Authorization",
    "Firewall",
    "GlobalNames",
    "HealthCheckSettings",
    "HealthProbe",
    "HostedZoneReference",
    "MultiRegionEndpoint",
    "MutualTls",
    "ProbeSettings",
    "RegionSwitches",
    "RegionalApi",
    "RegionalTarget",
    "Routing",
    "Throttle",
    "VerdictTable",
]

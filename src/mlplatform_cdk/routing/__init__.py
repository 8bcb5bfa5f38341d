"""Many regions behind one name: what each region owns, and the names that lead there.

Its constructs are imported when first asked for: an app of one region loads none of the services behind them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlplatform_cdk.routing.feature_database import FeatureDatabase, Serverless, SqlFeatures
    from mlplatform_cdk.routing.feature_function import FeatureFunction, KeyedTable
    from mlplatform_cdk.routing.global_names import GlobalNames
    from mlplatform_cdk.routing.health_probe import ClientCredentials, HealthProbe, VerdictTable
    from mlplatform_cdk.routing.internal_api import InternalApi, PrivateLink
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
    from mlplatform_cdk.routing.replication import (
        ImageReplication,
        ModelReplication,
        RegionalArtifacts,
        RegionalData,
        RegionalKey,
        ReplicatedImages,
    )
    from mlplatform_cdk.routing.state_tables import Consistency, RegionalTable, StateTable

__all__ = [
    "Authorization",
    "ClientCredentials",
    "Consistency",
    "FeatureDatabase",
    "FeatureFunction",
    "Firewall",
    "GlobalNames",
    "HealthCheckSettings",
    "HealthProbe",
    "HostedZoneReference",
    "ImageReplication",
    "InternalApi",
    "KeyedTable",
    "ModelReplication",
    "MultiRegionEndpoint",
    "MutualTls",
    "PrivateLink",
    "ProbeSettings",
    "RegionSwitches",
    "RegionalApi",
    "RegionalArtifacts",
    "RegionalData",
    "RegionalKey",
    "RegionalTable",
    "RegionalTarget",
    "ReplicatedImages",
    "Routing",
    "Serverless",
    "SqlFeatures",
    "StateTable",
    "Throttle",
    "VerdictTable",
]

_HOMES = {
    "Authorization": "regional_api",
    "ClientCredentials": "health_probe",
    "Consistency": "state_tables",
    "FeatureDatabase": "feature_database",
    "FeatureFunction": "feature_function",
    "Firewall": "regional_api",
    "GlobalNames": "global_names",
    "HealthCheckSettings": "plan",
    "HealthProbe": "health_probe",
    "HostedZoneReference": "plan",
    "ImageReplication": "replication",
    "InternalApi": "internal_api",
    "KeyedTable": "feature_function",
    "ModelReplication": "replication",
    "MultiRegionEndpoint": "plan",
    "MutualTls": "regional_api",
    "PrivateLink": "internal_api",
    "ProbeSettings": "plan",
    "RegionSwitches": "region_switches",
    "RegionalApi": "regional_api",
    "RegionalArtifacts": "replication",
    "RegionalData": "replication",
    "RegionalKey": "replication",
    "RegionalTable": "state_tables",
    "RegionalTarget": "plan",
    "ReplicatedImages": "replication",
    "Routing": "plan",
    "Serverless": "feature_database",
    "SqlFeatures": "feature_database",
    "StateTable": "state_tables",
    "Throttle": "regional_api",
    "VerdictTable": "health_probe",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

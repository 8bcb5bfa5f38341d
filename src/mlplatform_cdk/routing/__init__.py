"""Many regions behind one name: what each region owns, and the names that lead there."""

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

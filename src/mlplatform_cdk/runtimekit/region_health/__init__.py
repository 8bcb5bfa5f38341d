"""Whether a region is in service: one rule, for its probe, for the simulation, and for the rehearsal's resolver.

Pure: no clock, no network. What it promises, and why, is in docs/region-health.md.
"""

from mlplatform_cdk.runtimekit.region_health.evidence import Evidence, Golden, Observation, Peer
from mlplatform_cdk.runtimekit.region_health.health import RegionHealth
from mlplatform_cdk.runtimekit.region_health.rules import HealthRules, HealthRulesError
from mlplatform_cdk.runtimekit.region_health.slowness import LatencyWindow
from mlplatform_cdk.runtimekit.region_health.state import NEW_REGION, HealthState
from mlplatform_cdk.runtimekit.region_health.verdict import DRAINED, IN_SERVICE, OUT_OF_SERVICE, STALE, Status, Verdict

__all__ = [
    "DRAINED",
    "IN_SERVICE",
    "NEW_REGION",
    "OUT_OF_SERVICE",
    "STALE",
    "Evidence",
    "Golden",
    "HealthRules",
    "HealthRulesError",
    "HealthState",
    "LatencyWindow",
    "Observation",
    "Peer",
    "RegionHealth",
    "Status",
    "Verdict",
]

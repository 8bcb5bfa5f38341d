"""One view over all regions and accounts, and one message where many alarms ring."""

from mlplatform_cdk.resilience.observability.accounts import ObservabilityLink, ObservabilitySink, SharedWithMonitoring
from mlplatform_cdk.resilience.observability.alarms import AllRegionsAlarm, RegionAlarm
from mlplatform_cdk.resilience.observability.dashboard import CrossRegionObservability
from mlplatform_cdk.resilience.observability.people import PagerDuty, SlackChannel

__all__ = [
    "AllRegionsAlarm",
    "CrossRegionObservability",
    "ObservabilityLink",
    "ObservabilitySink",
    "PagerDuty",
    "RegionAlarm",
    "SharedWithMonitoring",
    "SlackChannel",
]

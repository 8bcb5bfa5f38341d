"""Breaking on purpose what will break anyway, while the alarms that stand for the callers watch."""

from mlplatform_cdk.resilience.chaos.construct import ChaosExperiments
from mlplatform_cdk.resilience.chaos.faults import ApiThrottled, CapacityLost, Fault, ZoneLost

__all__ = ["ApiThrottled", "CapacityLost", "ChaosExperiments", "Fault", "ZoneLost"]

"""Breaking on purpose what will break anyway, while the alarms that stand for the callers watch."""

from mlplatform_cdk.resilience.chaos.construct import ChaosExperiments
from mlplatform_cdk.resilience.chaos.endpoints import ApiThrottled, CapacityLost, EndpointStopped
from mlplatform_cdk.resilience.chaos.fault import Fault
from mlplatform_cdk.resilience.chaos.functions import LambdaErrors, LambdaLatency
from mlplatform_cdk.resilience.chaos.networks import InterfaceEndpointLost, NetworkLatency, ZoneLost

__all__ = [
    "ApiThrottled",
    "CapacityLost",
    "ChaosExperiments",
    "EndpointStopped",
    "Fault",
    "InterfaceEndpointLost",
    "LambdaErrors",
    "LambdaLatency",
    "NetworkLatency",
    "ZoneLost",
]

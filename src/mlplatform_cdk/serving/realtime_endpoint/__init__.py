"""An endpoint whose models stand in the template, and whose updates go through SageMaker's guardrails."""

from mlplatform_cdk.serving.realtime_endpoint.construct import RealtimeEndpoint
from mlplatform_cdk.serving.realtime_endpoint.variant import EndpointModel, EndpointVariant

__all__ = ["EndpointModel", "EndpointVariant", "RealtimeEndpoint"]

"""What answers: endpoints by kind, the image that serves a model, scaling, data capture.

Its constructs are imported when first asked for: the container, quantization and tuning in this room run without CDK.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlplatform_cdk.serving.capture import DataCapture
    from mlplatform_cdk.serving.endpoint import Endpoint
    from mlplatform_cdk.serving.guardrails import DeploymentGuardrails
    from mlplatform_cdk.serving.image import Processor, ServingImage
    from mlplatform_cdk.serving.image_pipeline import ImagePipeline, ImageRegistry
    from mlplatform_cdk.serving.realtime_endpoint import EndpointModel, EndpointVariant, RealtimeEndpoint
    from mlplatform_cdk.serving.released_endpoint import ReleasedEndpoint
    from mlplatform_cdk.serving.scaling import ONE_TO_TWO, ScalingRange

__all__ = [
    "ONE_TO_TWO",
    "DataCapture",
    "DeploymentGuardrails",
    "Endpoint",
    "EndpointModel",
    "EndpointVariant",
    "ImagePipeline",
    "ImageRegistry",
    "Processor",
    "RealtimeEndpoint",
    "ReleasedEndpoint",
    "ScalingRange",
    "ServingImage",
]

_HOMES = {
    "DataCapture": "capture",
    "DeploymentGuardrails": "guardrails",
    "Endpoint": "endpoint",
    "EndpointModel": "realtime_endpoint",
    "EndpointVariant": "realtime_endpoint",
    "ImagePipeline": "image_pipeline",
    "ImageRegistry": "image_pipeline",
    "ONE_TO_TWO": "scaling",
    "Processor": "image",
    "RealtimeEndpoint": "realtime_endpoint",
    "ReleasedEndpoint": "released_endpoint",
    "ScalingRange": "scaling",
    "ServingImage": "image",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

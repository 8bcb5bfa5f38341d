"""What answers: endpoints by kind, the image that serves a model, scaling, data capture."""

from mlplatform_cdk.serving.capture import DataCapture
from mlplatform_cdk.serving.endpoint import Endpoint
from mlplatform_cdk.serving.image import ServingImage
from mlplatform_cdk.serving.released_endpoint import ReleasedEndpoint
from mlplatform_cdk.serving.scaling import ONE_TO_TWO, ScalingRange

__all__ = ["ONE_TO_TWO", "DataCapture", "Endpoint", "ReleasedEndpoint", "ScalingRange", "ServingImage"]

"""The image that serves a model: SageMaker's ``/ping`` and ``/invocations`` in front of ONNX Runtime."""

from constructs import Construct

from mlplatform_cdk.core.images import AssetImage


class ServingImage(AssetImage):
    """Built from this package's own tree at deployment; serves any model archive that has a manifest, on CPUs."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, dockerfile_package="mlplatform_cdk.serving.container")

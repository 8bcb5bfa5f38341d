"""The image that serves a model: SageMaker's ``/ping`` and ``/invocations`` in front of ONNX Runtime."""

from constructs import Construct

from mlplatform_cdk.core import PlatformImage, container_asset


class ServingImage(PlatformImage):
    """Built from this package's own tree at deployment; serves any model archive that has a manifest, on CPUs."""

    def __init__(self, scope: Construct, id: str) -> None:
        asset = container_asset(scope, f"{id}Asset", dockerfile_package="mlplatform_cdk.serving.container")
        super().__init__(
            scope,
            id,
            image_uri=asset.image_uri,
            version=asset.asset_hash,
            repository_arn=asset.repository.repository_arn,
        )

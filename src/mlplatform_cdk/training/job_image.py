"""The image of the library's own job steps: preprocess, train, evaluate."""

from constructs import Construct

from mlplatform_cdk.core import PlatformImage, container_asset

_STEPS = tuple(f"mlplatform_cdk.training.{step}.runtime" for step in ("preprocess", "train", "evaluate"))


class JobImage(PlatformImage):
    """One image that holds every step of the library; a job says by its argument which one runs."""

    def __init__(self, scope: Construct, id: str) -> None:
        asset = container_asset(
            scope, f"{id}Asset", dockerfile_package="mlplatform_cdk.training.container", packages=_STEPS
        )
        super().__init__(
            scope,
            id,
            image_uri=asset.image_uri,
            version=asset.asset_hash,
            repository_arn=asset.repository.repository_arn,
        )

"""The image of the library's own job steps: preprocess, train, evaluate."""

from constructs import Construct

from mlplatform_cdk.core.images import AssetImage

_STEPS = tuple(f"mlplatform_cdk.training.{step}.runtime" for step in ("preprocess", "train", "evaluate"))


class JobImage(AssetImage):
    """One image that holds every step of the library; a job says by its argument which one runs."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, dockerfile_package="mlplatform_cdk.training.container", packages=_STEPS)

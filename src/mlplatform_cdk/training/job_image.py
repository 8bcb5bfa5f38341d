"""The image of the library's own job steps: preprocess, train, evaluate, quantize."""

from constructs import Construct

from mlplatform_cdk.core.images import AssetImage

_STEPS = (
    *(f"mlplatform_cdk.training.{step}.runtime" for step in ("preprocess", "train", "evaluate")),
    # Quantization asks the engines that will serve; they lie in the room beside this one.
    "mlplatform_cdk.serving.quantize",
    "mlplatform_cdk.serving.container.engines",
)


class JobImage(AssetImage):
    """One image that holds every step of the library; a job says by its argument which one runs.

    :param base_image: what it stands on, at best by digest, with Python and pip; default: what the Dockerfile says.
    """

    def __init__(self, scope: Construct, id: str, *, base_image: str | None = None) -> None:
        super().__init__(
            scope,
            id,
            dockerfile_package="mlplatform_cdk.training.container",
            packages=_STEPS,
            build_args={"BASE_IMAGE": base_image} if base_image else None,
        )

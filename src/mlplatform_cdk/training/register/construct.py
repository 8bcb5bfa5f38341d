"""The function that registers a model."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core import Access, PlatformFunction, PlatformImage, bucket_name, reading, writing
from mlplatform_cdk.core.images import PULL_ACTIONS
from mlplatform_cdk.registry import ModelRegistry

RUNTIME = "mlplatform_cdk.training.register.runtime"
_UNUSED = "CreateModelPackage checks in its caller's name that the image can be pulled"


class RegisterFunction(PlatformFunction):
    """Adds the run's model to the registry, pending approval, with its metrics and lineage.

    :param registry: where to.
    :param artifacts: where the run left its model, manifest, verdict and profile.
    :param inference_image: what serves the model.
    :param reference_key: where the profile goes that the next run's data is compared with.
    :param key: encrypts the settings and logs.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        registry: ModelRegistry,
        artifacts: s3.IBucket,
        inference_image: PlatformImage,
        reference_key: str,
        key: kms.IKey,
    ) -> None:
        super().__init__(
            scope,
            id,
            package=RUNTIME,
            description="Registers a trained and accepted model, pending approval",
            environment={
                "MODEL_PACKAGE_GROUP_NAME": registry.model_package_group_name,
                "INFERENCE_IMAGE": inference_image.image_uri,
                "REFERENCE_URI": f"s3://{bucket_name(artifacts)}/{reference_key}",
            },
            key=key,
            access=[
                registry.registering(),
                reading(artifacts, prefix="runs/"),
                writing(artifacts, object_key=reference_key),
                # SageMaker checks with the caller's permissions that the image of a new version can be pulled.
                inference_image.pulling(),
                Access([], findings={f"permission-unused[{action}]": _UNUSED for action in PULL_ACTIONS}),
            ],
        )

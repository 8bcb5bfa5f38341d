"""The function that finds the model in production."""

from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import PlatformFunction
from mlplatform_cdk.registry import ModelRegistry

RUNTIME = "mlplatform_cdk.training.find_production.runtime"


class FindProductionFunction(PlatformFunction):
    """Answers where the model lies that the registry says is in production, if there is one.

    :param registry: where the versions are.
    :param key: encrypts the settings and logs.
    """

    def __init__(self, scope: Construct, id: str, *, registry: ModelRegistry, key: kms.IKey) -> None:
        super().__init__(
            scope,
            id,
            package=RUNTIME,
            description="Finds the model in production, for evaluation to compare with",
            environment={"MODEL_PACKAGE_GROUP_NAME": registry.model_package_group_name},
            key=key,
            access=[registry.reading()],
        )

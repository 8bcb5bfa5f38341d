"""Who a served model is: it reads its archive, logs, and keeps what the endpoint captures."""

from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core import PlatformImage, reading, writing
from mlplatform_cdk.foundation import JobNetwork, SageMakerRole


class ModelRole(SageMakerRole):
    """The execution role of an endpoint's models.

    :param endpoint_name: the endpoint that they answer behind.
    :param image: what serves them.
    :param artifacts: where their archives lie.
    :param capture_prefix: where in ``artifacts`` requests are kept; empty: nowhere.
    :param network: where they have network interfaces; None: outside any VPC of the account.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_name: str,
        image: PlatformImage,
        artifacts: s3.IBucket,
        capture_prefix: str,
        network: JobNetwork | None,
    ) -> None:
        super().__init__(
            scope,
            id,
            description=f"Runs the models of the endpoint {endpoint_name}",
            log_groups=[f"Endpoints/{endpoint_name}"],
            metric_namespaces="/aws/sagemaker/Endpoints",
            network=network,
            access=[
                reading(artifacts, prefix="runs/"),
                image.pulling(),
                *([writing(artifacts, prefix=capture_prefix)] if capture_prefix else []),
            ],
        )

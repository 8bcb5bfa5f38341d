"""Who a served model is: it reads its archive, logs, and keeps what the endpoint captures."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core import PlatformImage, decrypting, encrypting, reading, writing
from mlplatform_cdk.foundation import JobNetwork, SageMakerRole


class ModelRole(SageMakerRole):
    """The execution role of an endpoint's models.

    :param endpoint_name: the endpoint that they answer behind.
    :param image: what serves them.
    :param artifacts: where their archives lie.
    :param key: encrypts the archives and what is kept, whatever ``artifacts`` itself tells of a key.
    :param capture_prefix: the folder of ``artifacts`` in which requests are kept; empty: nowhere. SageMaker writes to
        ``<folder>/<endpoint>/<variant>/``:
        https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
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
        key: kms.IKey,
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
                decrypting(key),
                image.pulling(),
                *([writing(artifacts, prefix=f"{capture_prefix}/"), encrypting(key)] if capture_prefix else []),
            ],
        )

"""Who a job is: it reads the data set and the artifacts of runs, writes its own, and logs."""

from collections.abc import Sequence

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core import Access, PlatformImage, allowed, decrypting, encrypting, key_arn, reading, writing
from mlplatform_cdk.foundation import JobNetwork, SageMakerRole

_LOG_GROUPS = ("TrainingJobs", "ProcessingJobs")
_FOR_AWS = {"Bool": {"kms:GrantIsForAWSResource": "true"}}


class JobRole(SageMakerRole):
    """The role of a pipeline's SageMaker jobs.

    :param lake: where the data lies.
    :param prefix: the data set's folder in the lake.
    :param artifacts: where runs leave what they made.
    :param key: encrypts the jobs' volumes and outputs.
    :param images: what the jobs run.
    :param network: where the jobs have network interfaces; None: outside any VPC of the account.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        lake: s3.IBucket,
        prefix: str,
        artifacts: s3.IBucket,
        key: kms.IKey,
        images: Sequence[PlatformImage],
        network: JobNetwork | None,
    ) -> None:
        super().__init__(
            scope,
            id,
            description="Runs the SageMaker jobs of a retraining pipeline",
            log_groups=_LOG_GROUPS,
            metric_namespaces="/aws/sagemaker/*",
            network=network,
            access=[
                reading(lake, prefix=prefix),
                reading(artifacts, prefix="runs/"),
                writing(artifacts, prefix="runs/"),
                decrypting(key),
                encrypting(key),
                # SageMaker hands the volumes' key on to EBS with a grant.
                Access([allowed(["kms:CreateGrant"], key_arn(key), conditions=_FOR_AWS)]),
                *(image.pulling() for image in images),
            ],
        )

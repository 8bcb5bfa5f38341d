"""Who a job is: it reads the data set and the artifacts of runs, writes its own, and logs."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core import grant_decrypt, grant_encrypt, grant_read, grant_write, key_arn, permission
from mlplatform_cdk.foundation import JobNetwork, SageMakerRole

_LOG_GROUPS = ("TrainingJobs", "ProcessingJobs")


class JobRole(SageMakerRole):
    """The role of a pipeline's SageMaker jobs.

    :param lake: where the data lies.
    :param prefix: the data set's folder in the lake.
    :param artifacts: where runs leave what they made.
    :param key: encrypts the jobs' volumes and outputs.
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
        network: JobNetwork | None,
    ) -> None:
        super().__init__(
            scope,
            id,
            description="Runs the SageMaker jobs of a retraining pipeline",
            log_groups=_LOG_GROUPS,
            metric_namespaces="/aws/sagemaker/*",
            network=network,
        )
        grant_read(lake, self, prefix=prefix)
        grant_read(artifacts, self, prefix="runs/")
        grant_write(artifacts, self, prefix="runs/")
        self._grant_key(key)

    def _grant_key(self, key: kms.IKey) -> None:
        grant_decrypt(key, self)
        grant_encrypt(key, self)
        # SageMaker hands the volumes' key on to EBS with a grant.
        for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        self.allow(permission(["kms:CreateGrant"], key_arn(key), conditions=for_aws))

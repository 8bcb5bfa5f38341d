"""What every other room stands on: the network, the keys, the buckets, the parameters that stacks pass on."""

from mlplatform_cdk.foundation.buckets import AccessLogs, ArtifactStore, PlatformBucket
from mlplatform_cdk.foundation.job_network import JobNetwork
from mlplatform_cdk.foundation.keys import Keys
from mlplatform_cdk.foundation.network import SAGEMAKER_SERVICES, Network
from mlplatform_cdk.foundation.notifications import Notifications
from mlplatform_cdk.foundation.parameters import (
    publish,
    published,
    published_bucket,
    published_key,
    published_list,
    published_topic,
)
from mlplatform_cdk.foundation.sagemaker_role import SageMakerRole
from mlplatform_cdk.foundation.stack import PlatformStack

__all__ = [
    "SAGEMAKER_SERVICES",
    "AccessLogs",
    "ArtifactStore",
    "JobNetwork",
    "Keys",
    "Network",
    "Notifications",
    "PlatformBucket",
    "PlatformStack",
    "SageMakerRole",
    "publish",
    "published",
    "published_bucket",
    "published_key",
    "published_list",
    "published_topic",
]

"""The stack of the data: it outlives every pipeline that reads it."""

from constructs import Construct

from mlplatform_cdk.data import DataLake
from mlplatform_cdk.foundation import PlatformStack, publish
from mlplatform_cdk.resilience import Teardown
from stacks.environments import PlatformEnvironment
from stacks.published import Published


class DataStack(PlatformStack):
    """The lake that raw data arrives in."""

    def __init__(self, scope: Construct, id: str, *, environment: PlatformEnvironment) -> None:
        super().__init__(scope, id, env=environment.aws)
        below = Published(self, "Published", environment=environment)
        lake = DataLake(
            self,
            "Lake",
            key=below.key,
            access_logs=below.access_logs,
            removal_policy=environment.removal_policy,
        )
        publish(self, environment.parameter("data", "lake-bucket"), lake.bucket_name)
        Teardown(self, "Teardown", key=below.key, buckets=[lake])

"""What the stacks below published, as the objects that constructs take; only what a stack uses is read."""

from functools import cached_property

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import stack_of
from mlplatform_cdk.foundation import (
    JobNetwork,
    published,
    published_bucket,
    published_key,
    published_list,
    published_topic,
)
from stacks.environments import PlatformEnvironment


class Published(Construct):
    """The foundation and the lake, seen from another stack."""

    def __init__(self, scope: Construct, id: str, *, environment: PlatformEnvironment) -> None:
        super().__init__(scope, id)
        stack_of.tell(self, stack_of(scope))
        self._environment = environment

    @cached_property
    def key(self) -> kms.IKey:
        """The key of the environment's data."""
        return published_key(self, "Key", self._name("data-key-arn"))

    @cached_property
    def artifacts(self) -> s3.IBucket:
        """Where runs leave what they made."""
        return published_bucket(self, "Artifacts", self._name("artifacts-bucket"), key=self.key)

    @cached_property
    def access_logs(self) -> s3.IBucket:
        """Where the access logs of buckets go."""
        return published_bucket(self, "AccessLogs", self._name("access-logs-bucket"))

    @cached_property
    def notifications(self) -> sns.ITopic:
        """Where people hear of what happened."""
        return published_topic(self, "Notifications", self._name("notifications-topic-arn"))

    @cached_property
    def vpc_id(self) -> str:
        """The VPC."""
        return published(self, self._name("vpc-id"))

    @cached_property
    def network(self) -> JobNetwork:
        """Where jobs, models and endpoints stand."""
        return JobNetwork(
            subnet_ids=published_list(self, self._name("job-subnet-ids"), self._environment.zones),
            security_group_ids=published_list(self, self._name("job-security-group-ids"), 1),
        )

    @cached_property
    def lake(self) -> s3.IBucket:
        """Where raw data arrives."""
        return published_bucket(self, "Lake", self._environment.parameter("data", "lake-bucket"), key=self.key)

    def _name(self, what: str) -> str:
        return self._environment.parameter("foundation", what)

"""The stack that all others stand on."""

from constructs import Construct

from mlplatform_cdk.foundation import (
    AccessLogs,
    ArtifactStore,
    Keys,
    Network,
    Notifications,
    PlatformStack,
    publish,
)
from stacks.environments import PlatformEnvironment


class FoundationStack(PlatformStack):
    """The network, the key, the buckets of logs and artifacts, and the topic of notifications."""

    def __init__(self, scope: Construct, id: str, *, environment: PlatformEnvironment) -> None:
        super().__init__(scope, id, env=environment.aws)
        key = Keys(self, "Keys", removal_policy=environment.removal_policy).data
        network = Network(
            self,
            "Network",
            zones=environment.zones,
            interface_services=environment.interface_services,
            gateway_prefix_lists=environment.gateway_prefix_lists,
            key=key,
        )
        access_logs = AccessLogs(self, "AccessLogs", removal_policy=environment.removal_policy)
        artifacts = ArtifactStore(
            self, "Artifacts", key=key, access_logs=access_logs, removal_policy=environment.removal_policy
        )
        notifications = Notifications(self, "Notifications", key=key, emails=environment.emails)
        for what, value in {
            "access-logs-bucket": access_logs.bucket_name,
            "artifacts-bucket": artifacts.bucket_name,
            "data-key-arn": key.key_arn,
            "job-security-group-ids": ",".join(network.job_network.security_group_ids),
            "job-subnet-ids": ",".join(network.job_network.subnet_ids),
            "notifications-topic-arn": notifications.topic_arn,
            "vpc-id": network.vpc.vpc_id,
        }.items():
            publish(self, environment.parameter("foundation", what), value)

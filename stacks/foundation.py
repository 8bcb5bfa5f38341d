"""The stack that all others stand on."""

from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk import resilience, routing
from mlplatform_cdk.core import bucket_name, key_arn
from mlplatform_cdk.foundation import (
    AccessLogs,
    ArtifactStore,
    Keys,
    Network,
    Notifications,
    PlatformStack,
    publish,
)
from stacks import breast_cancer
from stacks.environments import PlatformEnvironment
from stacks.regions import Regions


class FoundationStack(PlatformStack):
    """The network, the key, the buckets of logs and artifacts, and the topic of notifications.

    Where an environment has several regions, the home's artifacts are replicated to the others'.
    """

    def __init__(
        self, scope: Construct, id: str, *, environment: PlatformEnvironment, regions: Regions | None = None
    ) -> None:
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
        notifications = Notifications(self, "Notifications", key=key, emails=environment.emails)
        artifacts = self._define_artifacts(environment, regions, key, access_logs, notifications)
        for what, value in {
            "access-logs-bucket": bucket_name(access_logs),
            "artifacts-bucket": bucket_name(artifacts),
            "data-key-arn": key_arn(key),
            "job-security-group-ids": ",".join(network.job_network.security_group_ids),
            "job-subnet-ids": ",".join(network.job_network.subnet_ids),
            "notifications-topic-arn": notifications.topic_arn,
            "vpc-id": network.vpc.vpc_id,
        }.items():
            publish(self, environment.parameter("foundation", what), value)
        resilience.Teardown(self, "Teardown", key=key, buckets=[artifacts, access_logs])

    def _define_artifacts(
        self,
        environment: PlatformEnvironment,
        regions: Regions | None,
        key: kms.Key,
        access_logs: AccessLogs,
        notifications: Notifications,
    ) -> ArtifactStore:
        """The bucket, under a name that the other regions know where there may be some."""
        keeps = environment.removal_policy
        plan = regions.data if regions is not None and environment.region in regions.data.accounts else None
        if plan is None or (plan.home_bucket is not None and environment.region == plan.home):
            artifacts = ArtifactStore(self, "Artifacts", key=key, access_logs=access_logs, removal_policy=keeps)
        else:
            artifacts = routing.RegionalArtifacts(
                self,
                "Artifacts",
                plan=plan,
                key=key,
                access_logs=access_logs,
                notifications=notifications,
                removal_policy=keeps,
            )
        if regions is not None and plan is not None:
            key.add_alias(plan.key_alias)
            resilience.Runbooks.lead_elsewhere(self, endpoint_name=breast_cancer.endpoint_name(environment))
            if regions.copies_from(environment.region):
                routing.ModelReplication(self, "Replication", plan=plan, source=artifacts, notifications=notifications)
        return artifacts

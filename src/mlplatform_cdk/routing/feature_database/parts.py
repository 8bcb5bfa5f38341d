"""What both kinds of database are made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_rds as rds
from constructs import Construct

from mlplatform_cdk.core import Access, PlatformRole, allowed, arn_of, service_principal
from mlplatform_cdk.routing.feature_database.plan import SqlFeatures

BACKUP_DAYS = 35
MASTER = "owner"
MONITORED_EVERY_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One region's part of a database, before it is made."""

    scope: Construct
    features: SqlFeatures
    region: str
    is_home: bool
    key_arn: str
    group_id: str
    subnet_ids: Sequence[str]
    password: str | None
    port: int
    removal_policy: RemovalPolicy

    @property
    def name(self) -> str:
        """Of this region's cluster or instance."""
        return self.features.cluster_name(self.region)

    @property
    def is_protected(self) -> bool:
        """Whether it refuses to be deleted."""
        return self.removal_policy is not RemovalPolicy.DESTROY

    @property
    def major_version(self) -> str:
        """By which families of parameters are named."""
        return self.features.engine_version.partition(".")[0]

    def subnet_group(self) -> rds.CfnDBSubnetGroup:
        """Where it stands."""
        return rds.CfnDBSubnetGroup(
            self.scope,
            "Subnets",
            db_subnet_group_description=f"Of {self.name}",
            subnet_ids=[*self.subnet_ids],
        )

    def monitoring_role_arn(self) -> str:
        """By which its hosts' metrics are written, as AWS's own policy AmazonRDSEnhancedMonitoringRole has it.

        https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonRDSEnhancedMonitoringRole.html
        """
        groups = arn_of(self.scope, "logs", "log-group:RDS*")
        streams = arn_of(self.scope, "logs", "log-group:RDS*:log-stream:*")
        reason = "RDS names the groups and streams of its hosts' metrics"
        role = PlatformRole(
            self.scope,
            "Monitoring",
            assumed_by=service_principal("monitoring.rds.amazonaws.com"),
            description=f"Writes what the hosts of {self.name} measure",
            access=[
                Access(
                    [
                        allowed(["logs:CreateLogGroup", "logs:PutRetentionPolicy"], groups),
                        allowed(
                            [
                                "logs:CreateLogStream",
                                "logs:DescribeLogStreams",
                                "logs:GetLogEvents",
                                "logs:PutLogEvents",
                            ],
                            streams,
                        ),
                    ],
                    patterns={groups: reason, streams: reason},
                )
            ],
        )
        return role.role_arn

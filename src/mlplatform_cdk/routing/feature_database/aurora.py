"""An Aurora global database, of which this region has one cluster."""

from typing import Any

from aws_cdk import aws_rds as rds

from mlplatform_cdk.core import acknowledge_controls
from mlplatform_cdk.routing.feature_database.parts import BACKUP_DAYS, MASTER, MONITORED_EVERY_S, Parts
from mlplatform_cdk.routing.feature_database.plan import Serverless

_ENGINE = "aurora-postgresql"


def define(
    parts: Parts, size: Serverless | str, instances: int, *, loses_at_most_s: int | None, forwards_writes: bool
) -> tuple[str, str]:
    """This region's cluster: its resource id, and where it is read from."""
    scope = parts.scope
    more: dict[str, Any] = {"enable_global_write_forwarding": forwards_writes or None}
    if parts.is_home:
        more = {
            "master_username": MASTER,
            "master_user_password": parts.password,
            "database_name": parts.features.database,
            # SQL over HTTPS for whoever makes users and tables; it asks writers only.
            "enable_http_endpoint": True,
        }
    cluster = rds.CfnDBCluster(
        scope,
        "Resource",
        db_cluster_identifier=parts.name,
        engine=_ENGINE,
        engine_version=parts.features.engine_version,
        global_cluster_identifier=parts.features.global_name,
        db_subnet_group_name=parts.subnet_group().ref,
        db_cluster_parameter_group_name=_parameters(parts, loses_at_most_s).ref,
        vpc_security_group_ids=[parts.group_id],
        port=parts.port,
        storage_encrypted=True,
        # Its own region's key, which a secondary cluster cannot do without.
        kms_key_id=parts.key_arn,
        enable_iam_database_authentication=True,
        backup_retention_period=BACKUP_DAYS,
        copy_tags_to_snapshot=True,
        deletion_protection=parts.is_protected,
        enable_cloudwatch_logs_exports=["postgresql"],
        serverless_v2_scaling_configuration=_capacity(size),
        **more,
    )
    cluster.apply_removal_policy(parts.removal_policy)
    if parts.is_home:
        cluster.node.add_dependency(_global(parts))
    _instances(parts, cluster, size, instances)
    return cluster.attr_db_cluster_resource_id, cluster.attr_read_endpoint_address


def _global(parts: Parts) -> rds.CfnGlobalCluster:
    """The global database, empty at first; the home's cluster joins it and is its writer."""
    made = rds.CfnGlobalCluster(
        parts.scope,
        "Global",
        global_cluster_identifier=parts.features.global_name,
        engine=_ENGINE,
        engine_version=parts.features.engine_version,
        storage_encrypted=True,
        deletion_protection=parts.is_protected,
    )
    made.apply_removal_policy(parts.removal_policy)
    return made


def _parameters(parts: Parts, loses_at_most_s: int | None) -> rds.CfnDBClusterParameterGroup:
    """TLS only.

    ``rds.global_db_rpo``: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
    """
    given = {"rds.force_ssl": "1"}
    if loses_at_most_s is not None:
        given["rds.global_db_rpo"] = str(loses_at_most_s)
    return rds.CfnDBClusterParameterGroup(
        parts.scope,
        "Parameters",
        description=f"Of {parts.name}",
        family=f"{_ENGINE}{parts.major_version}",
        parameters=given,
    )


def _capacity(size: Serverless | str) -> rds.CfnDBCluster.ServerlessV2ScalingConfigurationProperty | None:
    if isinstance(size, str):
        return None
    return rds.CfnDBCluster.ServerlessV2ScalingConfigurationProperty(
        min_capacity=size.minimum, max_capacity=size.maximum
    )


def _instances(parts: Parts, cluster: rds.CfnDBCluster, size: Serverless | str, instances: int) -> None:
    role = parts.monitoring_role_arn()
    for number in range(1, instances + 1):
        instance = rds.CfnDBInstance(
            parts.scope,
            f"Instance{number}",
            db_cluster_identifier=cluster.ref,
            engine=_ENGINE,
            db_instance_class=size if isinstance(size, str) else "db.serverless",
            publicly_accessible=False,
            auto_minor_version_upgrade=True,
            monitoring_interval=MONITORED_EVERY_S,
            monitoring_role_arn=role,
        )
        instance.apply_removal_policy(parts.removal_policy)
        whole = "its cluster is that: encrypted, backed up, logged and protected, over zones by its instances"
        acknowledge_controls(
            instance,
            dict.fromkeys(
                (
                    "RDSInstanceBackupEnabled",
                    "RDSInstanceDeletionProtectionEnabled",
                    "RDSLoggingEnabled",
                    "RDSMultiAZSupport",
                    "RDSStorageEncrypted",
                ),
                whole,
            ),
        )

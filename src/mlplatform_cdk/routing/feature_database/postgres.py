"""RDS for PostgreSQL: an instance at home, and a read replica of it in this region, if this is another."""

from typing import Any

from aws_cdk import aws_rds as rds

from mlplatform_cdk.core import accept_lint, acknowledge, acknowledge_controls
from mlplatform_cdk.routing.feature_database.parts import BACKUP_DAYS, MASTER, MONITORED_EVERY_S, Parts

_ENGINE = "postgres"


def define(parts: Parts, instance_class: str, storage_gib: int) -> tuple[str, str]:
    """This region's instance: its resource id, and where it is read from."""
    scope, features = parts.scope, parts.features
    more: dict[str, Any] = {
        "source_db_instance_identifier": features.home_arn,
        "source_region": features.plan.home,
    }
    if parts.is_home:
        more = {
            "engine_version": features.engine_version,
            "master_username": MASTER,
            "master_user_password": parts.password,
            "db_name": features.database,
            "allocated_storage": str(storage_gib),
            "storage_encrypted": True,
        }
    instance = rds.CfnDBInstance(
        scope,
        "Resource",
        db_instance_identifier=parts.name,
        db_instance_class=instance_class,
        engine=_ENGINE,
        db_subnet_group_name=parts.subnet_group().ref,
        db_parameter_group_name=_parameters(parts).ref,
        vpc_security_groups=[parts.group_id],
        port=str(parts.port),
        publicly_accessible=False,
        multi_az=True,
        storage_type="gp3",
        # Its own region's key; a replica with one is encrypted, and must not say so.
        kms_key_id=parts.key_arn,
        enable_iam_database_authentication=True,
        backup_retention_period=BACKUP_DAYS,
        copy_tags_to_snapshot=True,
        deletion_protection=parts.is_protected,
        auto_minor_version_upgrade=True,
        enable_cloudwatch_logs_exports=["postgresql", "upgrade"],
        monitoring_interval=MONITORED_EVERY_S,
        monitoring_role_arn=parts.monitoring_role_arn(),
        **more,
    )
    instance.apply_removal_policy(parts.removal_policy)
    if not parts.is_home:
        reason = "encrypted with its region's key, which says so; CloudFormation refuses to be told it twice"
        acknowledge_controls(instance, {"RDSStorageEncrypted": reason})
        acknowledge(instance, {"AwsSolutions-RDS2": reason})
        accept_lint(instance, {"E3720": reason})
    return instance.attr_dbi_resource_id, instance.attr_endpoint_address


def _parameters(parts: Parts) -> rds.CfnDBParameterGroup:
    """TLS only."""
    return rds.CfnDBParameterGroup(
        parts.scope,
        "Parameters",
        description=f"Of {parts.name}",
        family=f"{_ENGINE}{parts.major_version}",
        parameters={"rds.force_ssl": "1"},
    )

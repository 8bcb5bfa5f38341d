"""A stack with something to back up, and a vault for it."""

import json
from functools import cached_property
from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk.assertions import Template

from mlplatform_cdk.core.tables import PlatformTable
from mlplatform_cdk.foundation import Keys, Notifications, PlatformBucket
from mlplatform_cdk.resilience import (
    BackedUpTag,
    Backups,
    BackupVault,
    VaultPlan,
)
from tests.resilience.building import of_type, stack_in

PLAN = VaultPlan(name="models", regions=["eu-west-1", "us-east-1"])
TAG = BackedUpTag(key="backup", value="yes")


class World:
    """A stack with a table, a file system, a bucket, a vault and a topic."""

    def __init__(self, *, plan: VaultPlan = PLAN, stack: Stack | None = None) -> None:
        self.stack = stack or stack_in()
        self.key = Keys(self.stack, "Keys").data
        self.table = PlatformTable(
            self.stack,
            "Table",
            partition_key="id",
            sort_key="at",
            expiry="until",
            key=self.key,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.bucket = PlatformBucket(self.stack, "Bucket", key=self.key, event_bridge_enabled=True)
        self.topic = Notifications(self.stack, "Topic", key=self.key)
        self.vault = BackupVault(self.stack, "Vault", plan=plan, key=self.key)

    @cached_property
    def files(self) -> efs.IFileSystem:
        group = ec2.SecurityGroup.from_security_group_id(self.stack, "Group", "sg-1")
        return efs.FileSystem.from_file_system_attributes(
            self.stack, "Files", file_system_id="fs-12345678", security_group=group
        )

    def backups(self, **more: Any) -> Backups:
        given = {"vault": self.vault, "notifications": self.topic, "tables": [self.table]}
        return Backups(self.stack, "Backups", **(given | more))

    def plan(self) -> dict[str, Any]:
        (found,) = of_type(self.stack, "AWS::Backup::BackupPlan")
        plan: dict[str, Any] = found["BackupPlan"]
        return plan

    def statements(self, role: str = "Role") -> list[dict[str, Any]]:
        resources = Template.from_stack(self.stack).to_json()["Resources"]
        (policy,) = [
            one["Properties"]["PolicyDocument"]["Statement"]
            for name, one in resources.items()
            if one["Type"] == "AWS::IAM::ManagedPolicy" and name.startswith(f"Backups{role}Permissions")
        ]
        return list(policy)

    def allowed(self, action: str, role: str = "Role") -> list[dict[str, Any]]:
        return [one for one in self.statements(role) if action in one["Action"]]


def text(value: Any) -> str:
    return json.dumps(value)

"""What is backed up, where does it lie, who may touch it, and who hears of a failure?"""

import json
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.core.tables import PlatformTable
from mlplatform_cdk.foundation import Keys, Notifications, PlatformBucket
from mlplatform_cdk.resilience import (
    BackedUpTag,
    BackupRule,
    Backups,
    BackupVault,
    RestoreTest,
    VaultLock,
    VaultPlan,
)
from tests.resilience.building import findings, of_type, stack_in

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


def test_each_night_and_each_month_is_kept_in_the_vault() -> None:
    world = World()
    world.backups()

    nightly, monthly = world.plan()["BackupPlanRule"]
    assert (nightly["ScheduleExpression"], nightly["Lifecycle"]) == ("cron(0 3 * * ? *)", {"DeleteAfterDays": 35})
    assert monthly["ScheduleExpression"] == "cron(0 4 1 * ? *)"
    assert monthly["Lifecycle"] == {"DeleteAfterDays": 365, "MoveToColdStorageAfterDays": 30}
    assert {rule["EnableContinuousBackup"] for rule in (nightly, monthly)} == {False}
    assert "CopyActions" not in nightly


def test_the_vault_is_encrypted_by_our_key_locked_and_kept() -> None:
    world = World()
    Template.from_stack(world.stack).has_resource("AWS::Backup::BackupVault", {"DeletionPolicy": "Retain"})
    (vault,) = of_type(world.stack, "AWS::Backup::BackupVault")

    assert vault["BackupVaultName"] == "models"
    assert "KeysData" in text(vault["EncryptionKeyArn"])
    assert vault["LockConfiguration"] == {"MinRetentionDays": 1}  # governance: no day after which it is for ever


def test_a_lock_for_ever_has_bounds_and_its_grace() -> None:
    year = timedelta(days=365)
    lock = VaultLock.compliance(shortest=timedelta(days=7), longest=year, grace=timedelta(days=5))
    world = World(plan=replace(PLAN, lock=lock))
    (vault,) = of_type(world.stack, "AWS::Backup::BackupVault")

    assert vault["LockConfiguration"] == {"MinRetentionDays": 7, "MaxRetentionDays": 365, "ChangeableForDays": 5}


def test_copies_go_to_the_vault_of_another_region_by_its_name() -> None:
    world = World()
    rule = replace(BackupRule.daily(), keep_copies=timedelta(days=90))
    world.backups(copy_to=["us-east-1"], rules=[rule])

    (copied,) = world.plan()["BackupPlanRule"][0]["CopyActions"]
    assert text(copied["DestinationBackupVaultArn"]).endswith(':backup:us-east-1:123456789012:backup-vault:models"]]}')
    assert copied["Lifecycle"] == {"DeleteAfterDays": 90}
    (into,) = world.allowed("backup:CopyIntoBackupVault")
    assert len(into["Resource"]) == 2


def test_no_copy_needs_no_other_region() -> None:
    world = World()
    world.backups()

    assert "us-east-1" not in text(world.statements())


def test_the_role_reads_what_is_named_and_nothing_else() -> None:
    world = World()
    world.backups(buckets=[world.bucket], file_systems=[world.files])

    (tables,) = world.allowed("dynamodb:StartAwsBackupJob")
    (systems,) = world.allowed("elasticfilesystem:Backup")
    (objects,) = world.allowed("s3:GetObjectVersion")
    (buckets,) = world.allowed("s3:PutInventoryConfiguration")
    assert tables["Resource"]["Fn::GetAtt"][0].startswith("Table")
    assert text(systems["Resource"]).endswith('file-system/fs-12345678"]]}')
    assert buckets["Resource"]["Fn::GetAtt"][0].startswith("Bucket")
    assert text(objects["Resource"]).endswith('"/*"]]}')
    every = [one for one in world.statements() if one["Resource"] == "*"]
    assert {
        action for one in every for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    } == {
        "cloudwatch:GetMetricData",
        "events:ListRules",
        "s3:ListAllMyBuckets",
        "tag:GetResources",
    }


def test_the_role_makes_grants_for_aws_alone() -> None:
    world = World()
    world.backups(copy_to=["us-east-1"])

    grants = world.allowed("kms:CreateGrant")
    assert len(grants) == 2
    assert all(one["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"} for one in grants)


def test_originals_are_decrypted_through_their_service_alone() -> None:
    world = World()
    world.backups(buckets=[world.bucket])

    through = [one["Condition"]["StringLike"]["kms:ViaService"] for one in world.allowed("kms:Decrypt")]
    assert through == ["dynamodb.eu-west-1.*", "s3.eu-west-1.*"]


def test_nothing_of_a_kind_that_is_not_backed_up_is_allowed() -> None:
    world = World()
    world.backups()

    assert not [one for one in world.statements() if "s3:" in text(one["Action"]) or "elastic" in text(one["Action"])]


def test_whatever_bears_the_tag_is_backed_up_beside_what_is_named() -> None:
    world = World()
    world.backups(tag=TAG)

    selections = [one["BackupSelection"] for one in of_type(world.stack, "AWS::Backup::BackupSelection")]
    (named,) = [one for one in selections if one["SelectionName"] == "named"]
    (tagged,) = [one for one in selections if one["SelectionName"] == "tagged"]
    assert "Conditions" not in named
    condition = {"ConditionKey": "aws:ResourceTag/backup", "ConditionValue": "yes"}
    assert tagged["Conditions"] == {"StringEquals": [condition]}
    assert len(tagged["Resources"]) == 3


def test_only_kinds_that_may_bear_the_tag_are_open_to_the_role() -> None:
    world = World()
    world.backups(tables=[], tag=replace(TAG, kinds=["EFS"]))

    assert "dynamodb:" not in text(world.statements())
    assert "file-system/*" in text(world.allowed("elasticfilesystem:Backup"))


def test_a_selection_waits_for_what_its_role_may_do() -> None:
    world = World()
    world.backups()
    (selection,) = Template.from_stack(world.stack).find_resources("AWS::Backup::BackupSelection").values()

    assert [one for one in selection["DependsOn"] if one.startswith("BackupsRolePermissions")]


def test_people_hear_of_a_backup_a_copy_and_a_restore_that_came_to_nothing() -> None:
    world = World()
    world.backups()

    rules = {one["EventPattern"]["detail-type"][0]: one for one in of_type(world.stack, "AWS::Events::Rule")}
    lost = ["ABORTED", "EXPIRED", "FAILED", "PARTIAL"]
    assert rules["Backup Job State Change"]["EventPattern"]["detail"]["state"] == lost
    assert rules["Copy Job State Change"]["EventPattern"]["detail"]["state"] == lost
    assert rules["Restore Job State Change"]["EventPattern"]["detail"] == {"status": lost}
    assert all("Topic" in text(one["Targets"][0]["Arn"]) for one in rules.values())
    assert all("DeadLetterConfig" in one["Targets"][0] for one in rules.values())


def test_restores_are_tried_with_a_role_that_touches_only_what_a_test_made() -> None:
    world = World()
    world.backups(buckets=[world.bucket], file_systems=[world.files], restore_test=RestoreTest())

    (plan,) = of_type(world.stack, "AWS::Backup::RestoreTestingPlan")
    tried = of_type(world.stack, "AWS::Backup::RestoreTestingSelection")
    assert plan["ScheduleExpression"] == "cron(0 6 ? * SUN *)"
    assert plan["RecoveryPointSelection"]["SelectionWindowDays"] == 30
    assert "Vault" in text(plan["RecoveryPointSelection"]["IncludeVaults"])
    assert {one["ProtectedResourceType"] for one in tried} == {"DynamoDB", "EFS", "S3"}
    assert {one["ValidationWindowHours"] for one in tried} == {1}
    role = "RestoreTestingRole"
    for action in ("dynamodb:RestoreTableFromAwsBackup", "s3:DeleteObject", "s3:CreateBucket"):
        (one,) = world.allowed(action, role)
        assert "awsbackup-restore-test-*" in text(one["Resource"])
    (deletes,) = world.allowed("elasticfilesystem:DeleteFileSystem", role)
    assert deletes["Condition"] == {"Null": {"aws:ResourceTag/awsbackup-restore-test": "false"}}


def test_what_bears_a_tag_is_tried_by_its_kind() -> None:
    world = World()
    world.backups(tag=replace(TAG, kinds=["S3"]), restore_test=RestoreTest(overrides={"S3": {"encryptionType": "x"}}))

    tried = {one["ProtectedResourceType"]: one for one in of_type(world.stack, "AWS::Backup::RestoreTestingSelection")}
    assert tried["S3"]["ProtectedResourceArns"] == ["*"]
    assert tried["S3"]["RestoreMetadataOverrides"] == {"encryptionType": "x"}
    assert "Table" in text(tried["DynamoDB"]["ProtectedResourceArns"])


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"tables": []}, "something must be backed up, got no table, file system, bucket or tag"),
        ({"rules": []}, "rules must have names of their own, got none"),
        ({"rules": [BackupRule.daily()] * 2}, "rules must have names of their own, got daily, daily"),
        ({"rules": [BackupRule.point_in_time()]}, "the rule 'point-in-time' must have buckets to be continuous"),
        ({"copy_to": ["eu-west-1"]}, "copy_to must name other regions, got eu-west-1"),
        ({"copy_to": ["eu-west-2"]}, "region must be one of the plan's (eu-west-1, us-east-1), got 'eu-west-2'"),
        ({"copy_to": "us-east-1"}, "copy_to must be a list, got 'us-east-1'"),
    ],
)
def test_a_plan_that_could_never_work_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=r".") as refused:
        World().backups(**given)

    assert sentence in str(refused.value)


def test_a_backup_that_the_lock_would_refuse_is_refused_before_it_is_deployed() -> None:
    world = World(plan=replace(PLAN, lock=VaultLock.governance(shortest=timedelta(days=40))))

    with pytest.raises(ConfigurationError, match=r"keep of 'daily' must be 40 days at least by the vault's lock"):
        world.backups()


def test_so_is_a_copy_that_is_kept_for_another_time() -> None:
    world = World(plan=replace(PLAN, lock=VaultLock.governance(longest=timedelta(days=40))))
    rule = replace(BackupRule.daily(), keep_copies=timedelta(days=41))

    world.backups(rules=[rule])  # nothing is copied

    other = World(plan=world.vault.plan)
    with pytest.raises(ConfigurationError, match=r"keep_copies of 'daily' must be 40 days at most"):
        other.backups(rules=[rule], copy_to=["us-east-1"])


def test_a_bucket_needs_versions_and_events() -> None:
    world = World()
    plain = s3.Bucket(world.stack, "Plain")
    silent = s3.Bucket(world.stack, "Silent", versioned=True)
    suspended = s3.CfnBucket.VersioningConfigurationProperty(status="Suspended")
    tired = PlatformBucket(world.stack, "Tired", key=world.key, event_bridge_enabled=True)
    tired.node.default_child.versioning_configuration = suspended  # type: ignore[union-attr]

    for bucket, sentence in (
        (plain, "a bucket must be versioned to be backed up, got Stack/Plain"),
        (tired, "a bucket must be versioned to be backed up, got Stack/Tired"),
        (silent, "a bucket must have event_bridge_enabled=True to be backed up, got Stack/Silent"),
    ):
        with pytest.raises(ConfigurationError, match=sentence):
            Backups(world.stack, f"Of{bucket.node.id}", vault=world.vault, buckets=[bucket], notifications=world.topic)


def test_a_bucket_of_cdk_or_of_another_stack_is_taken() -> None:
    world = World()
    loud = s3.Bucket(world.stack, "Loud", versioned=True, event_bridge_enabled=True)
    theirs = s3.Bucket.from_bucket_name(world.stack, "Theirs", "their-bucket")

    world.backups(tables=[], buckets=[loud, theirs], rules=[BackupRule.point_in_time()])

    assert world.plan()["BackupPlanRule"][0]["EnableContinuousBackup"] is True


def test_a_table_whose_key_is_not_known_is_taken_without_it() -> None:
    world = World()
    theirs = dynamodb.Table.from_table_name(world.stack, "Theirs", "their-table")

    world.backups(tables=[theirs])

    assert world.allowed("kms:Decrypt") == []


def test_a_vault_lies_in_a_region_of_its_plan() -> None:
    with pytest.raises(ConfigurationError, match=r"must be one of the plan's \(eu-west-1, us-east-1\), got eu-west-2"):
        World(stack=stack_in("eu-west-2"))


def test_cdk_nag_and_cfn_lint_find_nothing(tmp_path: Path) -> None:
    world = World(stack=stack_in(outdir=str(tmp_path)))
    world.backups(
        buckets=[world.bucket],
        file_systems=[world.files],
        tag=TAG,
        copy_to=["us-east-1"],
        rules=[BackupRule.daily(), BackupRule.monthly(), BackupRule.point_in_time()],
        restore_test=RestoreTest(),
    )

    assert [one for one in findings(world.stack, tmp_path, "Backups") if "Unchecked" not in one] == []
    report = (tmp_path / "validation-report.json").read_text()
    assert "Stack/Vault" not in report
    assert "Stack/DeadLetters" not in report

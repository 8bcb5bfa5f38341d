"""What is backed up, where does it lie, who may touch it, and who hears of a failure?"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk.assertions import Template

from mlplatform_cdk.resilience import (
    BackupRule,
    RestoreTest,
    VaultLock,
)
from tests.resilience.backups.building import PLAN, TAG, World, text
from tests.resilience.building import findings, of_type, stack_in


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


def test_a_table_whose_key_is_not_known_is_taken_without_it() -> None:
    world = World()
    theirs = dynamodb.Table.from_table_name(world.stack, "Theirs", "their-table")

    world.backups(tables=[theirs])

    assert world.allowed("kms:Decrypt") == []


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

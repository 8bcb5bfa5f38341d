"""Do archives come to every region, by a role that can do nothing else, and is it told when they do not?"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import ArtifactStore, Keys
from mlplatform_cdk.routing import ModelReplication, RegionalArtifacts, RegionalData, RegionalKey
from tests.routing.replication.regions import (
    ACCOUNT,
    HOME,
    OTHER_ACCOUNT,
    PLAN,
    THEIR_KEY,
    THERE,
    TWO_ACCOUNTS,
    Region,
)

BUCKET, ALARM = "AWS::S3::Bucket", "AWS::CloudWatch::Alarm"


def home(plan: RegionalData = PLAN, outdir: Path | None = None, **more: Any) -> Region:
    built = Region(HOME, outdir=outdir)
    key = RegionalKey(built.stack, "Key", plan=plan).key
    source = RegionalArtifacts(built.stack, "Artifacts", plan=plan, key=key)
    ModelReplication(built.stack, "Replication", plan=plan, source=source, **more)
    return built


def there(plan: RegionalData = PLAN, outdir: Path | None = None, account: str = ACCOUNT) -> Region:
    built = Region(THERE, account=account, outdir=outdir)
    key = RegionalKey(built.stack, "Key", plan=plan).key
    RegionalArtifacts(built.stack, "Artifacts", plan=plan, key=key)
    return built


def replication(built: Region) -> dict[str, Any]:
    (found,) = [one for one in built.of_type(BUCKET) if "ReplicationConfiguration" in one]
    configuration: dict[str, Any] = found["ReplicationConfiguration"]
    return configuration


def test_what_runs_leave_goes_to_every_other_region_within_a_quarter_of_an_hour() -> None:
    (rule,) = replication(home())["Rules"]

    assert rule["Filter"] == {"Prefix": "runs/"}
    assert rule["Destination"] == {
        "Bucket": f"arn:aws:s3:::churn-prod-{ACCOUNT}-{THERE}",
        "EncryptionConfiguration": {"ReplicaKmsKeyID": f"arn:aws:kms:{THERE}:{ACCOUNT}:alias/churn-prod"},
        "Metrics": {"EventThreshold": {"Minutes": 15}, "Status": "Enabled"},
        "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}},
    }
    assert rule["SourceSelectionCriteria"] == {"SseKmsEncryptedObjects": {"Status": "Enabled"}}


def test_what_is_deleted_at_home_stays_elsewhere() -> None:
    built = home()

    assert replication(built)["Rules"][0]["DeleteMarkerReplication"] == {"Status": "Disabled"}
    assert "s3:ReplicateDelete" not in json.dumps(built.statements("ReplicationRole"))


def test_the_names_are_those_that_the_other_regions_stack_gives() -> None:
    (bucket,) = [one for one in there().of_type(BUCKET) if "BucketName" in one]
    destination = replication(home())["Rules"][0]["Destination"]["Bucket"]

    assert destination == f"arn:aws:s3:::{bucket['BucketName']}"
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}


def test_the_role_may_do_what_s3_asks_and_nothing_else() -> None:
    built = home()
    listed, read, decrypt, write, encrypt = built.statements("ReplicationRole")
    mine, theirs = f"arn:aws:s3:::churn-prod-{ACCOUNT}-{HOME}", f"arn:aws:s3:::churn-prod-{ACCOUNT}-{THERE}"
    (role,) = [one for one in built.of_type("AWS::IAM::Role") if "RoleName" in one]

    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "s3.amazonaws.com"}
    assert (listed["Action"], listed["Resource"]) == (["s3:GetReplicationConfiguration", "s3:ListBucket"], mine)
    assert read["Action"] == [f"s3:GetObjectVersion{one}" for one in ("ForReplication", "Acl", "Tagging")]
    assert read["Resource"] == f"{mine}/runs/*"
    assert (write["Action"], write["Resource"]) == (["s3:ReplicateObject", "s3:ReplicateTags"], f"{theirs}/runs/*")
    assert decrypt["Action"] == "kms:Decrypt"
    assert "Fn::GetAtt" in decrypt["Resource"]
    assert decrypt["Condition"]["StringLike"]["kms:ViaService"] == f"s3.{HOME}.*"
    assert (encrypt["Action"], encrypt["Resource"]) == (
        ["kms:Decrypt", "kms:Encrypt"],
        f"arn:aws:kms:{THERE}:{ACCOUNT}:key/*",
    )
    assert encrypt["Condition"] == {
        "ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/churn-prod"},
        "StringLike": {
            "kms:EncryptionContext:aws:s3:arn": [theirs, f"{theirs}/runs/*"],
            "kms:ViaService": f"s3.{THERE}.*",
        },
    }


def test_the_bucket_replicates_only_when_its_role_has_all_permissions() -> None:
    """A role names its policy, and no policy names the bucket: the order is bucket after role after policy."""
    built = home()
    (policy,) = [one for name, one in built.template["Resources"].items() if name.startswith("ReplicationRolePerm")]

    assert "Artifacts" not in json.dumps(policy)
    assert "ReplicationRole" in json.dumps(replication(built)["Role"])


def test_failures_ring_at_home_and_late_copies_where_they_are_late() -> None:
    (failed,), (late,) = home().of_type(ALARM), there().of_type(ALARM)
    dimensions = {
        "SourceBucket": f"churn-prod-{ACCOUNT}-{HOME}",
        "DestinationBucket": f"churn-prod-{ACCOUNT}-{THERE}",
        "RuleId": f"to-{THERE}",
    }

    for alarm, metric, threshold in ((failed, "OperationsFailedReplication", 0), (late, "ReplicationLatency", 900)):
        assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("AWS/S3", metric, threshold)
        assert {one["Name"]: one["Value"] for one in alarm["Dimensions"]} == dimensions
    assert replication(home())["Rules"][0]["Id"] == dimensions["RuleId"]


def test_somebody_can_be_told_of_what_failed() -> None:
    built = Region(HOME)
    topic = sns.Topic(built.stack, "Topic", enforce_ssl=True)
    source = RegionalArtifacts(built.stack, "Artifacts", plan=PLAN, key=RegionalKey(built.stack, "Key", plan=PLAN).key)
    ModelReplication(built.stack, "Replication", plan=PLAN, source=source, notifications=topic)
    (alarm,), (policy,) = built.of_type(ALARM), built.of_type("AWS::SNS::TopicPolicy")

    assert "Topic" in json.dumps(alarm["AlarmActions"])
    assert "cloudwatch.amazonaws.com" in json.dumps(policy)


def test_no_region_refers_to_another_and_one_that_joins_changes_the_home_alone() -> None:
    more = replace(PLAN, regions=[*PLAN.regions, "ap-southeast-2"])

    assert there(more).template == there().template
    assert "Fn::ImportValue" not in json.dumps([home().template, there().template])
    before, after = home().template["Resources"], home(more).template["Resources"]
    changed = {name for name in before if before[name] != after[name]}
    assert {before[name]["Type"] for name in changed} == {BUCKET, "AWS::IAM::ManagedPolicy"}
    assert {after[name]["Type"] for name in {*after} - {*before}} == {ALARM}


def test_another_accounts_bucket_lets_in_the_one_role_and_its_key_is_given() -> None:
    (policy,) = [
        one
        for one in there(TWO_ACCOUNTS, account=OTHER_ACCOUNT).of_type("AWS::S3::BucketPolicy")
        if "s3:ReplicateObject" in json.dumps(one)
    ]
    ours = [one for one in policy["PolicyDocument"]["Statement"] if "ArnEquals" in one.get("Condition", {})]
    destination = replication(home(TWO_ACCOUNTS))["Rules"][0]["Destination"]

    assert [one["Action"] for one in ours] == [["s3:ReplicateObject", "s3:ReplicateTags"], "s3:GetBucketVersioning"]
    assert all(one["Condition"]["ArnEquals"] == {"aws:PrincipalArn": TWO_ACCOUNTS.role_arn} for one in ours)
    assert destination["EncryptionConfiguration"] == {"ReplicaKmsKeyID": THEIR_KEY}


def test_a_store_that_is_there_already_replicates_by_the_name_that_it_has() -> None:
    built = Region(HOME)
    plan = replace(PLAN, home_bucket="dev-artifacts-1x2y3z")
    source = ArtifactStore(built.stack, "Artifacts", key=Keys(built.stack, "Keys").data)
    ModelReplication(built.stack, "Replication", plan=plan, source=source)

    (alarm,) = built.of_type(ALARM)
    assert {"Name": "SourceBucket", "Value": "dev-artifacts-1x2y3z"} in alarm["Dimensions"]


def unversioned(built: Region) -> s3.Bucket:
    key = Keys(built.stack, "Keys").data
    return s3.Bucket(built.stack, "Source", bucket_name=PLAN.bucket_name(HOME), encryption_key=key)


def without_key(built: Region) -> s3.Bucket:
    return s3.Bucket(built.stack, "Source", bucket_name=PLAN.bucket_name(HOME), versioned=True)


def without_name(built: Region) -> s3.Bucket:
    return ArtifactStore(built.stack, "Source", key=Keys(built.stack, "Keys").data)


def imported(built: Region) -> Any:
    return s3.Bucket.from_bucket_name(built.stack, "Source", PLAN.bucket_name(HOME))


def replicated(built: Region) -> s3.Bucket:
    key = RegionalKey(built.stack, "Key", plan=PLAN).key
    source = RegionalArtifacts(built.stack, "Source", plan=PLAN, key=key)
    ModelReplication(built.stack, "First", plan=PLAN, source=source)
    return source


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (unversioned, "source must keep versions"),
        (without_key, "source must be encrypted with a key"),
        (without_name, f"source must have the plan's name 'churn-prod-{ACCOUNT}-{HOME}', got a generated one"),
        (imported, "source must be a bucket of this app"),
        (replicated, "source must have no other replication"),
    ],
)
def test_a_bucket_that_s3_could_not_replicate_is_refused(make: Any, sentence: str) -> None:
    built = Region(HOME)
    source = make(built)

    with pytest.raises(ConfigurationError, match=sentence):
        ModelReplication(built.stack, "Replication", plan=PLAN, source=source)


def test_replication_is_the_homes_and_has_somewhere_to_go() -> None:
    away, alone = Region(THERE), Region(HOME)
    nowhere = replace(PLAN, regions=[HOME])

    with pytest.raises(ConfigurationError, match="its stack must have the plan's home eu-west-1, got us-east-1"):
        ModelReplication(away.stack, "Replication", plan=PLAN, source=without_key(away))
    with pytest.raises(ConfigurationError, match="the plan must have another region than its home"):
        ModelReplication(alone.stack, "Replication", plan=nowhere, source=without_key(alone))


@pytest.mark.parametrize("make", [home, there])
def test_cdk_nag_and_cfn_lint_find_nothing_in_either_region(tmp_path: Path, make: Any) -> None:
    assert make(outdir=tmp_path).findings() == []


def test_cdk_nag_and_cfn_lint_find_nothing_in_another_account(tmp_path: Path) -> None:
    assert there(TWO_ACCOUNTS, outdir=tmp_path, account=OTHER_ACCOUNT).findings() == []

"""Which backups are refused when the app is built?"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aws_cdk import aws_s3 as s3

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import PlatformBucket
from mlplatform_cdk.resilience import (
    BackupRule,
    Backups,
    VaultLock,
)
from tests.resilience.backups.building import PLAN, World
from tests.resilience.building import stack_in


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


def test_a_vault_lies_in_a_region_of_its_plan() -> None:
    with pytest.raises(ConfigurationError, match=r"must be one of the plan's \(eu-west-1, us-east-1\), got eu-west-2"):
        World(stack=stack_in("eu-west-2"))

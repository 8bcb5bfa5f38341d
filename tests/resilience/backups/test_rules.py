"""Which plans of backups could never work?"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from mlplatform_cdk.resilience import BackedUpTag, BackupRule, RestoreTest, VaultLock, VaultPlan

YEAR = timedelta(days=365)
NIGHTLY = "cron(0 3 * * ? *)"


def days(count: int) -> timedelta:
    return timedelta(days=count)


def rule(**more: object) -> BackupRule:
    return BackupRule(**({"name": "own", "schedule": NIGHTLY, "keep": days(35)} | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: rule(keep=days(119), cold_after=days(30)), "keep must be 120 days at least, 90 more than cold_after"),
        (lambda: rule(keep=YEAR, keep_copies=days(100), cold_after=days(30)), "keep_copies must be 120 days at least"),
        (lambda: rule(keep=timedelta(hours=36)), "keep must be whole days, 1 to 36500"),
        (lambda: rule(keep=days(0)), "keep must be whole days, 1 to 36500"),
        (lambda: rule(keep=YEAR, cold_after=days(0)), "cold_after must be whole days"),
        (lambda: rule(keep=days(36), continuous=True), "keep must be 35 days at most for continuous backups"),
        (lambda: rule(cold_after=days(1), continuous=True), "cold_after must be left out of continuous backups"),
        (lambda: rule(schedule="rate(1 day)"), "schedule must be like 'cron(0 3 * * ? *)', got 'rate(1 day)'"),
        (lambda: rule(schedule="cron(0 3 * * * *)"), "schedule must have '?' for the day of the month or of the week"),
        (lambda: rule(schedule="cron(0 3 ? * ? *)"), "schedule must have '?' for the day of the month or of the week"),
        (lambda: rule(schedule="cron(0/15 3 * * ? *)"), "schedule must name one minute"),
        (lambda: rule(schedule="cron(60 3 * * ? *)"), "schedule must name one minute"),
        (lambda: rule(name="every night"), "name must be 1 to 50 letters"),
        (lambda: rule(start_within=timedelta(minutes=59)), "start_within must be an hour at least"),
        (lambda: rule(complete_within=timedelta(hours=8)), "complete_within must be longer than start_within"),
        (lambda: BackupRule.daily(hour=24), "hour must lie in 0 to 23, got 24"),
        (lambda: VaultLock.governance(shortest=days(10), longest=days(9)), "longest must be whole days, 10 to 36500"),
        (lambda: VaultLock.compliance(shortest=days(1), longest=YEAR, grace=days(2)), "grace must be whole days, 3 to"),
        (lambda: VaultPlan(name="m", regions=["eu-west-1"]), "name must be 2 to 50 letters"),
        (lambda: VaultPlan(name="models", regions=["Ireland"]), "regions must be names such as 'eu-west-1'"),
        (lambda: VaultPlan(name="models", regions=[]), "regions must be named once each, got none"),
        (lambda: VaultPlan(name="models", regions=["eu-west-1"] * 2), "regions must be named once each"),
        (lambda: BackedUpTag(key="backup", value="yes", kinds=["RDS"]), "kinds must be among DynamoDB, EFS, S3"),  # type: ignore[list-item]
        (lambda: BackedUpTag(key="", value="yes"), "a tag must have a key"),
        (lambda: RestoreTest(schedule="rate(1 day)"), "schedule must be like"),
        (lambda: RestoreTest(of_the_last=days(366)), "of_the_last must be whole days, 1 to 365"),
        (lambda: RestoreTest(kept=timedelta(hours=169)), "kept must be whole hours, 1 to 168"),
        (lambda: RestoreTest(overrides={"RDS": {}}), "overrides must be of DynamoDB, EFS, S3"),  # type: ignore[dict-item]
    ],
)
def test_what_aws_backup_would_refuse_is_refused_in_a_sentence(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        make()

    assert str(refused.value).startswith(sentence)


def test_a_backup_may_be_kept_just_long_enough_for_cold_storage() -> None:
    assert rule(keep=days(120), cold_after=days(30)).copies_kept == days(120)


def test_a_lock_says_what_it_refuses() -> None:
    lock = VaultLock.governance(shortest=days(7), longest=days(35))

    assert lock.refuses(days(6)) == "must be 7 days at least by the vault's lock, got 6 days"
    assert lock.refuses(days(36)) == "must be 35 days at most by the vault's lock, got 36 days"
    assert lock.refuses(days(7)) == lock.refuses(days(35)) == ""


def test_only_a_lock_that_was_asked_for_cannot_be_undone() -> None:
    assert VaultPlan(name="models", regions=["eu-west-1"]).lock.grace is None
    assert VaultLock.governance().grace is None

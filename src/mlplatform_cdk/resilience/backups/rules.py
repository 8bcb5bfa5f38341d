"""When a backup is made, how long it is kept, and what holds its vault: values that refuse what AWS Backup would."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

# https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRuleInput.html
_RULE_NAME = re.compile(r"[a-zA-Z0-9\-_.]{1,50}")
# Of CloudFormation's AWS::Backup::BackupVault.
_VAULT_NAME = re.compile(r"[a-zA-Z0-9\-_]{2,50}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+")
_CRON = re.compile(r"cron\((?P<minute>\S+) (?P<hour>\S+) (?P<day>\S+) (?P<month>\S+) (?P<weekday>\S+) (?P<year>\S+)\)")

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
# https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Lifecycle.html
COLD_AT_LEAST = timedelta(days=90)
LONGEST = timedelta(days=36_500)
# https://docs.aws.amazon.com/aws-backup/latest/devguide/point-in-time-recovery.html
LONGEST_CONTINUOUS = timedelta(days=35)
# https://docs.aws.amazon.com/aws-backup/latest/devguide/API_PutBackupVaultLockConfiguration.html
_SHORTEST_GRACE = timedelta(days=3)


def wrong_schedule(schedule: str) -> str:
    """What AWS Backup does not take in a schedule, or nothing.

    Six fields, one of the days a ``?``, and an hour at least between backups:
    https://docs.aws.amazon.com/aws-backup/latest/devguide/creating-a-backup-plan.html
    """
    found = _CRON.fullmatch(schedule)
    if found is None:
        return f"schedule must be like 'cron(0 3 * * ? *)', got {schedule!r}"
    if [found["day"], found["weekday"]].count("?") != 1:
        return f"schedule must have '?' for the day of the month or of the week, not both, got {schedule!r}"
    minute, most = found["minute"], 59
    if not (minute.isdigit() and int(minute) <= most):
        return f"schedule must name one minute, since backups are an hour apart at least, got {schedule!r}"
    return ""


def whole_days(name: str, value: timedelta, least: timedelta = _DAY) -> str:
    """What is wrong with a number of days, or nothing."""
    if value % _DAY or not least <= value <= LONGEST:
        return f"{name} must be whole days, {least.days} to {LONGEST.days}, got {value}"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRule:
    """When backups are made, and how long they are kept.

    :param name: 1 to 50 letters, digits, ``-``, ``_`` and ``.``; one per plan.
    :param schedule: a cron expression of AWS's six fields, in UTC.
    :param keep: how long each backup is kept, in whole days.
    :param cold_after: when a backup moves to cold storage, where it stays for 90 days at least (DynamoDB and EFS can;
        AWS Backup ignores it for S3); default: never.
    :param continuous: backups that go back to any second, for buckets alone: tables do it by themselves, and for all
        else AWS Backup makes snapshots in its place; 35 days at most; default: snapshots.
    :param keep_copies: how long copies in other regions are kept; default: as long as the backups.
    :param start_within: after which a backup that could not start is given up, an hour at least; default: 8 hours.
    :param complete_within: after which one that did is given up; default: 7 days.
    """

    name: str
    schedule: str
    keep: timedelta
    cold_after: timedelta | None = None
    continuous: bool = False
    keep_copies: timedelta | None = None
    start_within: timedelta = timedelta(hours=8)
    complete_within: timedelta = timedelta(days=7)

    @classmethod
    def daily(cls, *, hour: int = 3, keep: timedelta = timedelta(days=35)) -> "BackupRule":
        """Every night.

        :param hour: of the day, in UTC; default: 3.
        :param keep: how long; default: 35 days.
        """
        return cls(name="daily", schedule=f"cron(0 {_hour(hour)} * * ? *)", keep=keep)

    @classmethod
    def monthly(
        cls, *, hour: int = 4, keep: timedelta = timedelta(days=365), cold_after: timedelta | None = timedelta(days=30)
    ) -> "BackupRule":
        """On the first day of each month.

        :param hour: of the day, in UTC; default: 4.
        :param keep: how long; default: 365 days.
        :param cold_after: when they move to cold storage; default: after 30 days.
        """
        return cls(name="monthly", schedule=f"cron(0 {_hour(hour)} 1 * ? *)", keep=keep, cold_after=cold_after)

    @classmethod
    def point_in_time(cls, *, hour: int = 2, keep: timedelta = LONGEST_CONTINUOUS) -> "BackupRule":
        """Buckets back to any second; copies in other regions are snapshots.

        :param hour: when each day's work is done, in UTC; default: 2.
        :param keep: how far back; default: 35 days, the most there is.
        """
        return cls(name="point-in-time", schedule=f"cron(0 {_hour(hour)} * * ? *)", keep=keep, continuous=True)

    @property
    def copies_kept(self) -> timedelta:
        """How long copies are kept."""
        return self.keep if self.keep_copies is None else self.keep_copies

    def __post_init__(self) -> None:
        """Refuse what AWS Backup refuses, or would do otherwise in silence."""
        if not _RULE_NAME.fullmatch(self.name):
            raise ValueError(f"name must be 1 to 50 letters, digits, '-', '_' and '.', got {self.name!r}")
        if wrong := wrong_schedule(self.schedule) or self._wrong_life() or self._wrong_windows():
            raise ValueError(wrong)

    def _wrong_life(self) -> str:
        kept = {"keep": self.keep, "keep_copies": self.copies_kept}
        if wrong := next(filter(None, (whole_days(name, value) for name, value in kept.items())), ""):
            return wrong
        if self.continuous and self.keep > LONGEST_CONTINUOUS:
            return f"keep must be 35 days at most for continuous backups, got {self.keep.days} days"
        if self.continuous and self.cold_after is not None:
            return "cold_after must be left out of continuous backups, which have no cold storage"
        return "" if self.cold_after is None else self._wrong_cold(kept, self.cold_after)

    def _wrong_cold(self, kept: Mapping[str, timedelta], after: timedelta) -> str:
        if wrong := whole_days("cold_after", after):
            return wrong
        least = after + COLD_AT_LEAST
        for name, value in kept.items():
            if value < least:
                return f"{name} must be {least.days} days at least, 90 more than cold_after, got {value.days} days"
        return ""

    def _wrong_windows(self) -> str:
        if self.start_within < _HOUR:
            return f"start_within must be an hour at least, got {self.start_within}"
        if self.complete_within <= self.start_within:
            return f"complete_within must be longer than start_within, got {self.complete_within}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultLock:
    """What keeps backups from being deleted before their time: ``governance()`` or ``compliance()``.

    :param shortest: backups that are kept for less are refused.
    :param longest: those that are kept for more, too; default: none is.
    :param grace: after which nobody can undo the lock; default: whoever IAM lets may undo it.
    """

    shortest: timedelta
    longest: timedelta | None = None
    grace: timedelta | None = None

    @classmethod
    def governance(cls, *, shortest: timedelta = _DAY, longest: timedelta | None = None) -> "VaultLock":
        """A lock that only those undo who may delete it by IAM.

        :param shortest: the shortest time for which a backup may be kept; default: a day.
        :param longest: the longest; default: any.
        """
        return cls(shortest=shortest, longest=longest)

    @classmethod
    def compliance(cls, *, shortest: timedelta, longest: timedelta, grace: timedelta) -> "VaultLock":
        """A lock that NOBODY can undo once ``grace`` is over: not the account's root user, and not AWS.

        From then on no backup goes before its time, no bound changes, and the vault stays, with what it costs, until
        its last backup has gone. A mistake in ``longest`` is paid for to the end.
        Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html

        :param shortest: the shortest time for which a backup may be kept.
        :param longest: the longest, which bounds what a mistake costs.
        :param grace: while the lock can still be undone, in whole days, 3 at least.
        """
        return cls(shortest=shortest, longest=longest, grace=grace)

    def __post_init__(self) -> None:
        """Refuse what AWS Backup refuses."""
        wrong = whole_days("shortest", self.shortest)
        if self.longest is not None:
            wrong = wrong or whole_days("longest", self.longest, self.shortest)
        if self.grace is not None:
            wrong = wrong or whole_days("grace", self.grace, _SHORTEST_GRACE)
        if wrong:
            raise ValueError(wrong)

    def refuses(self, kept: timedelta) -> str:
        """Why the vault would refuse a backup that is kept so long, or nothing."""
        if kept < self.shortest:
            return f"must be {self.shortest.days} days at least by the vault's lock, got {kept.days} days"
        if self.longest is not None and kept > self.longest:
            return f"must be {self.longest.days} days at most by the vault's lock, got {kept.days} days"
        return ""


GOVERNANCE = VaultLock.governance()


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultPlan:
    """Vaults of one name in several regions: each region's stack makes its own, and names the others by this value.

    :param name: of the vault in each region, 2 to 50 letters, digits, ``-`` and ``_``.
    :param regions: where there is one.
    :param lock: of each of them; default: governance, a day at least.
    """

    name: str
    regions: Sequence[str]
    lock: VaultLock = GOVERNANCE

    def __post_init__(self) -> None:
        """Refuse what could never deploy."""
        object.__setattr__(self, "regions", tuple(self.regions))
        if not _VAULT_NAME.fullmatch(self.name):
            raise ValueError(f"name must be 2 to 50 letters, digits, '-' and '_', got {self.name!r}")
        if wrong := [one for one in self.regions if not _REGION.fullmatch(one)]:
            raise ValueError(f"regions must be names such as 'eu-west-1', got {wrong[0]!r}")
        if not self.regions or len({*self.regions}) < len(self.regions):
            raise ValueError(f"regions must be named once each, got {', '.join(self.regions) or 'none'}")


def _hour(hour: int) -> int:
    last = 23
    if not 0 <= hour <= last:
        raise ValueError(f"hour must lie in 0 to {last}, got {hour}")
    return hour

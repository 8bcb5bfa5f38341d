"""Protections that a change takes away: deletion policies, retention, backups, encryption, logs."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.dangers.blocks import judged
from mlplatform_cdk.assembly.diff.dangers.departures import STRENGTH
from mlplatform_cdk.assembly.diff.dangers.kinds import stateful
from mlplatform_cdk.assembly.diff.dangers.place import danger
from mlplatform_cdk.assembly.diff.dangers.transit import in_plain, outdated
from mlplatform_cdk.assembly.diff.model import Action, PropertyChange, ResourceChange, StackDiff, shown
from mlplatform_cdk.assembly.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Leaf names: how long something is kept; fewer is worse.
_PERIODS = re.compile(
    r"RetentionInDays|\w*BackupRetentionPeriod|MessageRetentionPeriod|RetentionPeriodHours|\w*SnapshotRetention\w*"
    r"|PendingWindowInDays|RecoveryPeriodInDays|ExpirationInDays|NoncurrentDays|NoncurrentVersionExpirationInDays"
    r"|DeleteAfterDays|RetentionPeriod|MemoryStoreRetentionPeriodInHours|MagneticStoreRetentionPeriodInDays"
)
_EXPIRIES = {"ExpirationInDays", "NoncurrentDays", "NoncurrentVersionExpirationInDays", "DeleteAfterDays"}
_FOR_EVER = {*_EXPIRIES, "RetentionInDays"}  # without them nothing is ever deleted
# Name to the values that protect; none: any does.
_GUARDS = {
    "DeletionProtection": {"true", "ACTIVE"},
    "DeletionProtectionEnabled": {"true"},
    "deletion_protection.enabled": {"true"},
    "DisableApiTermination": {"true"},
    "EnableKeyRotation": {"true"},
    "ImageTagMutability": {"IMMUTABLE"},
    "LockConfiguration": set[str](),
    "ObjectLockEnabled": {"true"},
    "PointInTimeRecoveryEnabled": {"true"},
}
_KEYS = re.compile(r"\w*(Kms|KMS)\w*|KeyArn|EncryptionKey|MasterKeyId|CustomerManagedKey\w*")
_ENCRYPTION = re.compile(
    r"\w*(Encrypt(ed|ion)|SSE)(Enabled|Configuration|Specification|Options|AtRest|InTransit|Config)*"
    r"|SqsManagedSseEnabled|SSEAlgorithm|EnforceHTTPS|\w*TrafficEncryption|SSLSupportMethod"
)
_LOGS = re.compile(
    r"\w*Logging\w*|\w*AccessLog\w*|\w*LogConfig\w*|\w*LogPublishing\w*|LogDestinations?\w*|\w*LogGroupArn"
    r"|DataCaptureConfig|EnableLogFileValidation|EnableCloudwatchLogsExports|Tracing(Config|Enabled)\w*|XrayEnabled|IsLogging"
    r"|ActionsEnabled|(access|connection)_logs\.s3\.enabled"
)
_OFF = {"false", "OFF", "NONE", "Disabled", "DISABLED", "PassThrough", "Suspended"}
_ALARMS = {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"}
_RECORDERS = {
    "AWS::CloudTrail::Trail",
    "AWS::Config::ConfigurationRecorder",
    "AWS::EC2::FlowLog",
    "AWS::GuardDuty::Detector",
    "AWS::WAFv2::LoggingConfiguration",
}


def weakened(stack: StackDiff) -> Iterator[Finding]:
    """The protections that the changes of ``stack`` take away."""
    for section in stack.sections:
        if section.name == "TerminationProtection" and section.before:
            yield danger(
                "protection-weakened",
                Severity.WARNING,
                "the stack's termination protection is off",
                stack=stack,
                reason="anybody who may delete stacks can now delete it in one call",
                way_out="keep termination_protection=True",
            )
    for change in stack.changes:
        if change.action is Action.REMOVED and change.resource.type in _RECORDERS and stack.after:
            yield _log(stack, change, None)
        if change.before is None or change.after is None:
            continue
        if change.resource.type in _ALARMS and _silenced(change.before.properties, change.after.properties):
            yield _log(stack, change, next(one for one in change.properties if one.leaf == "AlarmActions"))
        for one in change.properties:
            yield from _policy(stack, change, one)
            yield from judged(change, one, partial(_retention, stack, change))
            yield from judged(change, one, partial(_safeguard, stack, change))


def _policy(stack: StackDiff, change: ResourceChange, one: PropertyChange) -> Iterator[Finding]:
    if one.path not in {("DeletionPolicy",), ("UpdateReplacePolicy",)}:
        return
    ranks = [STRENGTH.index(value) if value in STRENGTH else 0 for value in (one.before, one.after)]
    if ranks[1] < ranks[0]:
        holds = change.resource.type in stateful()
        yield danger(
            "protection-weakened",
            Severity.ERROR if holds else Severity.WARNING,
            f"{one.name} goes from {one.before} to {one.after}",
            stack=stack,
            resource=change.resource,
            change=one,
            reason="the next change that removes or replaces it deletes it"
            + (f", and with it {stateful()[change.resource.type]}" if holds else ""),
            way_out=f"keep removal_policy at {one.before}",
        )


def _retention(stack: StackDiff, change: ResourceChange, one: PropertyChange) -> Iterator[Finding]:
    if not _PERIODS.fullmatch(one.leaf) or "LifecycleConfiguration" in one.path:  # its rules together say when
        return
    before, after = (_number(value) for value in (one.before, one.after))
    for_ever = one.leaf in _FOR_EVER
    shorter = before is not None and after is not None and after < before
    begins = for_ever and one.before is None and after is not None
    ends = not for_ever and before is not None and one.after is None
    if shorter or begins or ends:
        yield danger(
            "retention-weakened",
            Severity.WARNING,
            f"{one.leaf} goes from {shown(one.before)} to {shown(one.after)}",
            stack=stack,
            resource=change.resource,
            change=one,
            reason="what is older than that is deleted soon after the deployment",
            way_out="keep the longer period, or export what must stay first",
        )


def _safeguard(stack: StackDiff, change: ResourceChange, one: PropertyChange) -> Iterator[Finding]:
    name = _named(one)
    what = f"{name} goes from {shown(_value(one.before))} to {shown(_value(one.after))}"
    if _unguarded(one) or _suspended(one):
        yield danger(
            "protection-weakened",
            Severity.WARNING,
            what,
            stack=stack,
            resource=change.resource,
            change=one,
            reason="what was protected against deletion or overwriting is so no longer",
            way_out=f"keep {name} at {shown(_value(one.before))}",
        )
    elif _unencrypted(one) or _downgraded(one) or in_plain(one) or outdated(one):
        yield danger(
            "encryption-removed",
            Severity.WARNING if _downgraded(one) or outdated(one) else Severity.ERROR,
            what,
            stack=stack,
            resource=change.resource,
            change=one,
            reason="what goes over the network may be read on its way"
            if in_plain(one) or outdated(one)
            else "what is written from now on is not encrypted, or with a key that is not yours",
            way_out=f"keep {name}, or say in the acknowledgement what encrypts it instead",
        )
    elif _ends(one) and any(map(_LOGS.fullmatch, _names(one))):
        yield _log(stack, change, one)


def _log(stack: StackDiff, change: ResourceChange, one: PropertyChange | None) -> Finding:
    what = "it is removed"
    if one:
        what = f"{_named(one)} goes from {shown(_value(one.before))} to {shown(_value(one.after))}"
    return danger(
        "logging-removed",
        Severity.WARNING,
        f"{change.resource.type}: {what}",
        stack=stack,
        resource=change.resource,
        change=one,
        reason="from now on nobody can see what happened there",
        way_out="keep it, or say in the acknowledgement what records it instead",
    )


def _silenced(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return bool(before.get("AlarmActions")) and not after.get("AlarmActions")


def _names(one: PropertyChange) -> list[str]:
    return [part for part in one.path if not part.isdigit()]


def _named(one: PropertyChange) -> str:
    """Its name; of an attribute of a load balancer, which is a key and a value, the key."""
    return _names(one)[-2] if one.leaf == "Value" else one.leaf


def _value(value: Any) -> Any:
    return value["Value"] if isinstance(value, dict) and value.keys() == {"Key", "Value"} else value


def _ends(one: PropertyChange) -> bool:
    return not _is_off(one.before) and _is_off(one.after)


def _unguarded(one: PropertyChange) -> bool:
    guards = _GUARDS.get(_named(one))
    if guards is None:
        return False
    return _ends(one) or (str(_value(one.before)) in guards and str(_value(one.after)) not in guards)


def _suspended(one: PropertyChange) -> bool:
    return "VersioningConfiguration" in one.path and _ends(one)


def _unencrypted(one: PropertyChange) -> bool:
    return _ends(one) and bool(_KEYS.fullmatch(one.leaf) or any(map(_ENCRYPTION.fullmatch, _names(one))))


def _downgraded(one: PropertyChange) -> bool:
    return one.leaf in {"SSEAlgorithm", "EncryptionType", "SSEType"} and (
        str(one.before).lower().startswith(("aws:kms", "kms")) and str(one.after) in {"AES256", "NONE"}
    )


def _is_off(value: object) -> bool:
    value = _value(value)
    return value is None or value is False or (isinstance(value, str) and value in _OFF)


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None

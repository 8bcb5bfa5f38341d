"""What is made, watched and taken away."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mlplatform_cdk.assembly.check.permissions.reach import reachable
from mlplatform_cdk.assembly.check.permissions.sources import Sources
from mlplatform_cdk.assembly.check.templates import Resource, Template
from mlplatform_cdk.assembly.check.traps.requests import only_creates
from mlplatform_cdk.assembly.check.traps.words import Rule, caught, mentions, trap
from mlplatform_cdk.assembly.diff.dangers.kinds import PASSING, stateful
from mlplatform_cdk.assembly.findings import Finding, Severity

_KEEPING = {"Retain", "RetainExceptOnCreate", "Snapshot"}
# What they hold lives in a domain's file system or a cluster's volume, whose own policy decides.
_WITH_ANOTHER = {"AWS::DocDB::DBInstance", "AWS::Neptune::DBInstance", "AWS::SageMaker::Space"}


def unsaid_removal(template: Template) -> Iterator[Finding]:
    """14: data whose end nobody decided."""
    for resource in template.of_type(*(stateful().keys() - PASSING - _WITH_ANOTHER)):
        if "DeletionPolicy" not in resource.document:
            yield caught(
                resource,
                trap(14, "unsaid-removal"),
                Severity.WARNING,
                f"{resource.type} states no deletion policy",
                reason="CloudFormation's default deletes it with its stack, or fails half-way where it is not empty",
                way_out="set a removal policy: Retain, or Delete with what empties it first",
            )


def custom_resource(template: Template) -> Iterator[Finding]:
    """15: custom resources that hang, or that only create."""
    for resource in template.resources:
        if not resource.type.startswith("Custom::") and resource.type != "AWS::CloudFormation::CustomResource":
            continue
        if "ServiceTimeout" not in resource.properties:
            yield caught(
                resource,
                trap(15, "custom-resource-hangs"),
                Severity.WARNING,
                "the custom resource has no time-out",
                reason="a handler that does not answer holds the stack for an hour",
                way_out="set ServiceTimeout",
                at="ServiceTimeout",
            )
        if _forgets_delete(template, resource):
            yield caught(
                resource,
                trap(15, "custom-resource-only-creates"),
                Severity.WARNING,
                "the code behind the custom resource never looks for RequestType Delete",
                reason="what it makes stays when the stack goes, or it is made again while the stack goes",
                way_out="handle Create, Update and Delete, each so that it may happen twice",
                at="ServiceToken",
            )


def feature_group_lost(template: Template) -> Iterator[Finding]:
    """25: a feature group whose replacement takes its data."""
    for group in template.of_type("AWS::SageMaker::FeatureGroup"):
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if group.document.get(policy) not in _KEEPING:
                yield caught(
                    group,
                    trap(25, "feature-group-lost"),
                    Severity.ERROR,
                    f"the feature group's {policy} is not Retain",
                    reason="most changes replace a feature group, and its online data goes with the old one",
                    way_out="set the removal policy to Retain",
                    at=policy,
                )


def mute_alarm(template: Template) -> Iterator[Finding]:
    """26: alarms that tell nobody, or that missing data decides."""
    for alarm in template.of_type("AWS::CloudWatch::Alarm"):
        if not alarm.properties.get("AlarmActions") and not _watched(template, alarm):
            yield caught(
                alarm,
                trap(26, "mute-alarm"),
                Severity.WARNING,
                "the alarm has no action, and nothing else looks at it",
                reason="it tells nobody",
                way_out="give it an action, or let a deployment or a composite alarm watch it",
                at="AlarmActions",
            )
        if "TreatMissingData" not in alarm.properties:
            yield caught(
                alarm,
                trap(26, "missing-data"),
                Severity.INFO,
                "the alarm does not say what missing data means",
                reason="without traffic it stays as it was, or falls to INSUFFICIENT_DATA",
                way_out="set TreatMissingData",
                at="TreatMissingData",
            )


def _watched(template: Template, alarm: Resource) -> bool:
    name = alarm.properties.get("AlarmName")
    for other in template.resources:
        if other.logical_id == alarm.logical_id or other.type == "AWS::CloudWatch::Dashboard":
            continue
        if mentions(other.properties, alarm.logical_id) or (
            isinstance(name, str) and other.type == "AWS::SageMaker::Endpoint" and name in str(other.properties)
        ):
            return True
    return False


def _forgets_delete(template: Template, resource: Resource) -> bool:
    token = resource.properties.get("ServiceToken")
    for function in template.of_type("AWS::Lambda::Function"):
        handler, asset = function.properties.get("Handler"), function.template.asset(function.get("Code.S3Key") or "")
        if not mentions(token, function.logical_id) or not isinstance(handler, str):
            continue
        inline = function.get("Code.ZipFile")
        sources = Sources({"index.py": inline}) if isinstance(inline, str) else Sources.of(asset) if asset else None
        parts = reachable(sources, handler) if sources else []
        texts = {one.value for part in parts for one in part.walk() if isinstance(one, ast.Constant)}
        named = {name for part in parts for name in part.names()}  # a framework's decorator: @helper.delete
        silent = "Delete" not in texts and "delete" not in named
        return bool(parts) and silent and ("Create" not in texts or only_creates(parts))
    return False


RULES: tuple[Rule, ...] = (unsaid_removal, custom_resource, feature_group_lost, mute_alarm)

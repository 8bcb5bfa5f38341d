"""Finds the releases of an endpoint by its name, and the one that is meant."""

import json
from dataclasses import dataclass, replace
from typing import Any

from mlplatform_cdk.cli.console import CommandFailed
from mlplatform_cdk.runtimekit import aws, release_records
from mlplatform_cdk.runtimekit.release_address import PREFIX, ReleaseAddress

_RUNNING = "RUNNING"
_ROLLBACK = "rollback"
_BRINGING = ("first", "beside", "resume")  # the ways of a plan by which a green comes
_IN_SERVICE = "InService"
_OF_A_GROUP = ":model-package/"  # in a version's ARN; an A/B test's row names its run
_FINISHED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execution of the machine now.

    :param arn: which one.
    :param status: Step Functions' word; empty: it is not known any more.
    :param error: how it ended, where it failed.
    :param cause: why.
    :param action: what it was started for; empty: it is not known.
    :param releases: is it a rollback that brings a version by a release, since blue is gone; that may be aborted.
    """

    arn: str
    status: str
    error: str = ""
    cause: str = ""
    action: str = ""
    releases: bool = False

    @property
    def runs(self) -> bool:
        """True until it has ended."""
        return self.status not in (*_FINISHED, "")


def find(endpoint: str | None) -> ReleaseAddress:
    """Where the releases of ``endpoint`` live; without a name, of the only one that has any."""
    client = aws.client("ssm")
    if endpoint:
        try:
            found = client.get_parameter(Name=f"{PREFIX}{endpoint}")["Parameter"]["Value"]
        except client.exceptions.ParameterNotFound:
            others = ", ".join(_names()) or "none"
            message = (
                f"no releases of {endpoint} are published in this account and region; there are those of: {others}"
            )
            raise CommandFailed(message) from None
        return ReleaseAddress.from_json(found)
    names = _names()
    if len(names) != 1:
        there = ", ".join(names) or "none is published in this account and region"
        raise CommandFailed(f"name the endpoint: {there}")
    return find(names[0])


def describe(arn: str) -> Execution:
    """The execution ``arn`` now."""
    client = aws.client("stepfunctions")
    try:
        found = client.describe_execution(executionArn=arn)
    except client.exceptions.ExecutionDoesNotExist:
        return Execution(arn=arn, status="")
    return Execution(arn=arn, status=found["status"], error=found.get("error") or "", cause=found.get("cause") or "")


def running(address: ReleaseAddress) -> Execution | None:
    """The execution that holds the endpoint's lock, while it runs; a train locks nothing."""
    if address.is_train:
        return _on_its_way(address)
    lock = release_records.read(address.table, f"lock#{address.endpoint}", "lock")
    if not lock or not lock.get("owner"):
        return None
    action, way = str(lock.get("action", "")), json.loads(lock.get("plan") or "{}").get("way")
    releases = action == _ROLLBACK and way in _BRINGING
    execution = replace(describe(lock["owner"]), action=action, releases=releases)
    return execution if execution.status == _RUNNING else None


def _on_its_way(address: ReleaseAddress) -> Execution | None:
    """The train that was started first: the others wait for it."""
    pages = aws.client("stepfunctions").get_paginator("list_executions")
    found = pages.paginate(stateMachineArn=address.machine, statusFilter=_RUNNING)
    started = [(one["startDate"], str(one["executionArn"])) for page in found for one in page["executions"]]
    return Execution(arn=min(started)[1], status=_RUNNING) if started else None


def meant(address: ReleaseAddress) -> str:
    """The version that a rollback is about now: of the release that holds the lock, else the one in production.

    Empty: neither is known, and the machine takes what has the traffic.
    """
    lock = release_records.read(address.table, f"lock#{address.endpoint}", "lock") or {}
    named = [str(lock.get(one, "")) for one in ("version", "left_version")]
    held = next((one for one in named if _OF_A_GROUP in one), "")
    if held or not address.group:
        return held
    pages = aws.client("sagemaker").get_paginator("list_model_packages")
    listed = [
        str(one["ModelPackageArn"])
        for page in pages.paginate(ModelPackageGroupName=address.group)
        for one in page["ModelPackageSummaryList"]
        if one.get("ModelLifeCycle", {}).get("StageStatus") == _IN_SERVICE
    ]
    return listed[0] if len(listed) == 1 else ""


def start(address: ReleaseAddress, request: dict[str, Any]) -> str:
    """Start an execution of the machine; its ARN."""
    answer = aws.client("stepfunctions").start_execution(stateMachineArn=address.machine, input=json.dumps(request))
    arn: str = answer["executionArn"]
    return arn


def _names() -> list[str]:
    pages = aws.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=PREFIX)
    return sorted(one["Name"].removeprefix(PREFIX) for page in pages for one in page["Parameters"])

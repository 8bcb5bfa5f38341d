"""The runbooks of the rehearsed endpoint: defined beside it, started as a person starts them, and a region's probe."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from mlplatform_cdk.core import arn_of
from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.resilience.runbooks import Approval, RestorableTable, Runbooks
from mlplatform_cdk.routing import HostedZoneReference, MultiRegionEndpoint, VerdictTable
from mlplatform_cdk.routing.health_probe.runtime.probe import Round
from mlplatform_cdk.routing.health_probe.runtime.row import VerdictRow
from mlplatform_cdk.routing.health_probe.runtime.watch import Watch
from mlplatform_cdk.runtimekit import aws as runtime_aws
from mlplatform_cdk.runtimekit.region_health import Golden, RegionHealth
from mlplatform_cdk.serving import ReleasedEndpoint
from tests.release.platforms import Base, until

ZONE = HostedZoneReference(hosted_zone_id="Z0123456789ABCDEFGHIJ", zone_name="example.invalid")


def define(base: Base, endpoint: ReleasedEndpoint, release: BlueGreenRelease, topic: sns.ITopic) -> dict[str, str]:
    """The runbooks of a region, as one of two."""
    plan = MultiRegionEndpoint(
        domain_name="models.example.invalid", zone=ZONE, regions=[base.stack.region, "ap-southeast-2"]
    )
    verdicts = VerdictTable(base.stack, "Verdicts", key=base.key)
    approver = iam.Role(base.stack, "Approver", assumed_by=iam.AccountRootPrincipal())
    executions = arn_of(base.stack, "ssm", "automation-execution/*")
    approver.add_to_policy(iam.PolicyStatement(actions=["ssm:SendAutomationSignal"], resources=[executions]))
    Runbooks(
        base.stack,
        "Runbooks",
        endpoint=endpoint,
        release=release,
        registry=base.registry,
        plan=plan,
        verdicts=verdicts,
        tables=[RestorableTable(table=release.records, key=base.key)],
        archives=base.artifacts,
        approval=Approval(approvers=[approver], notifications=topic, key=base.key),
    )
    return {"Verdicts": verdicts.table_name, "Approver": approver.role_arn}


def run(aws: Administrator, document: str, *, approver: str = "", **given: str) -> dict[str, Any]:
    """Start a document as the console does, approve what it asks as the role ``approver``, and wait for its end."""
    ssm = aws.client("ssm")
    started = ssm.start_automation_execution(
        DocumentName=document, Parameters={name: [value] for name, value in given.items()}
    )
    look = {"AutomationExecutionId": started["AutomationExecutionId"]}

    def ended() -> Any:
        found = ssm.get_automation_execution(**look)["AutomationExecution"]
        if found["AutomationExecutionStatus"] == "Waiting" and approver:
            _as(aws, approver, "ssm").send_automation_signal(**look, SignalType="Approve")
        return found if found["AutomationExecutionStatus"] not in ("Pending", "InProgress", "Waiting") else None

    found: dict[str, Any] = until(ended, 60)
    return found


def _as(aws: Administrator, role: str, service: str) -> Any:
    keys = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="ann")["Credentials"]
    return boto3.client(
        service,
        endpoint_url=aws.settings.endpoint_url,
        region_name=aws.settings.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


@contextmanager
def probed(aws: Administrator, table: str, endpoint: str, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """A region's probe that sees right answers, twenty times as often."""
    settings = aws.settings
    for name, value in _environment(settings.endpoint_url, settings.region, settings.account).items():
        patch.setenv(name, value)
    runtime_aws.client.cache_clear()
    over = threading.Event()

    class Right:
        def round(self, _number: int) -> Round:
            return Round(golden=Golden.RIGHT, version="v1", latencies_ms=(1.0,))

    watch = Watch(
        probe=Right(),
        row=VerdictRow(table, endpoint, "probe"),
        core=RegionHealth(),
        tell=lambda *_: None,
        steady_clock=lambda: float("inf") if over.is_set() else time.monotonic(),
        sleep=lambda _: over.wait(0.5) and None,
    )
    thread = threading.Thread(target=watch.run, args=(600,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)
        runtime_aws.client.cache_clear()


def _environment(url: str, region: str, account: str) -> Mapping[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "embedded",
    }

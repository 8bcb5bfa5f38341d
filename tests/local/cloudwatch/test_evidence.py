"""Does a release see in the embedded AWS what it must judge, with the rights that it has?"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from mlplatform_cdk.local.settings import Settings
from mlplatform_cdk.release.blue_green.runtime.evidence import alarms_in_alarm, judge, read_windows, rungs
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.release_strategy import VerdictRules
from tests.local.cloudwatch.conftest import Client, put

RULES = VerdictRules()
BUDGET_MS = 50.0
LADDER = rungs(RULES, BUDGET_MS)
As = Callable[..., None]


@pytest.fixture
def acting(client: Client, fast: Settings, monkeypatch: pytest.MonkeyPatch) -> As:
    """Act as a role that may do these things and no others."""

    def act(*actions: str) -> None:
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{fast.account}:root"},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = client("iam").create_role(RoleName=uuid.uuid4().hex, AssumeRolePolicyDocument=document)["Role"]
        allowed = {"Effect": "Allow", "Action": [*actions], "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        client("iam").put_role_policy(RoleName=role["RoleName"], PolicyName="Policy", PolicyDocument=policy)
        credentials = client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="release")["Credentials"]

        def of(service: str) -> Any:
            return boto3.client(
                service,
                endpoint_url=fast.endpoint_url,
                region_name=fast.region,
                aws_access_key_id=credentials["AccessKeyId"],
                aws_secret_access_key=credentials["SecretAccessKey"],
                aws_session_token=credentials["SessionToken"],
            )

        monkeypatch.setattr(aws, "client", of)

    return act


def test_a_faulty_green_is_seen_and_a_good_one_too(client: Client, variant: str, acting: As) -> None:
    acting("cloudwatch:GetMetricData")
    since = datetime.now(UTC)
    time.sleep(1.1)  # a period that began before is left out
    for number in range(40):
        failed = float(number % 4 == 0)
        counts = {"Invocations": 1.0, "Invocation4XXErrors": 0.0, "ModelLatency": 9000.0}
        put(client, f"{variant}-green", **counts, Invocation5XXErrors=failed, InvocationModelErrors=failed)
        put(client, f"{variant}-blue", **counts, Invocation5XXErrors=0.0, InvocationModelErrors=0.0)

    names = [f"{variant}-green", f"{variant}-blue"]
    windows = read_windows("churn", names, since, datetime.now(UTC), ladder_ms=LADDER)
    green, blue = (windows[name] for name in names)
    bad = judge(RULES, green, blue, budget_ms=BUDGET_MS)
    good = judge(VerdictRules(minimum_requests=40), blue, green, budget_ms=BUDGET_MS)

    assert (bad.ok, bad.metrics["green"]["failures"]) == (False, 10)
    assert bad.reasons[0].startswith("10 of green's 40 requests failed")
    assert good.ok is True
    assert good.metrics["green"]["latency_p99_ms"] == 9


def test_an_alarm_that_rings_is_seen(client: Client, variant: str, acting: As) -> None:
    acting("cloudwatch:DescribeAlarms")
    client("cloudwatch").put_metric_alarm(
        AlarmName=variant,
        Namespace="Shop",
        MetricName="Orders",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
    )

    deadline = time.monotonic() + 20
    while (ringing := alarms_in_alarm([variant, "another"])) != [variant]:
        assert time.monotonic() < deadline, ringing
        time.sleep(0.05)


def test_without_the_right_to_see_it_a_release_sees_nothing(acting: As) -> None:
    acting("sagemaker:DescribeEndpoint")

    with pytest.raises(ClientError, match="not authorized"):
        read_windows("churn", ["a"], datetime.fromtimestamp(0, UTC), datetime.now(UTC), ladder_ms=LADDER)

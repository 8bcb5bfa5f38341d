"""A new version beside the live one: does any caller notice, and does one that cannot serve take anything away?"""

import csv
import io
import itertools
import json
import random
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config

from mlplatform_cdk.cli.demo.data import breast_cancer_csv
from mlplatform_cdk.cli.demo.report import ExecutionReport
from tests.end_to_end.permissions import without
from tests.end_to_end.rehearsal import KEY, LABEL_COLUMN, Rehearsal
from tests.end_to_end.traffic import Traffic

MORE_KEY = KEY.replace("patients", "more-patients")


@dataclass(frozen=True)
class SecondRelease:
    """What happened when more data arrived."""

    run: ExecutionReport
    release: ExecutionReport
    traffic: Traffic
    configuration_before: str


@pytest.fixture(scope="module")
def second(rehearsal: Rehearsal) -> SecondRelease:
    """More patients arrive while callers ask; the run, the approval and the release follow by themselves."""
    before = live(rehearsal)["EndpointConfigName"]
    known = rehearsal.releases.arns()
    with traffic_to(rehearsal) as traffic:
        traffic.wait_for_answers(5)
        with rehearsal.in_the_lake(MORE_KEY, more_patients()) as run:
            assert run.status == "SUCCEEDED", run.cause
            release = rehearsal.releases.follow(rehearsal.releases.next_after(known, 30), 60, lambda _state: None)
        traffic.wait_for_answers(5)
    return SecondRelease(run, release, traffic, before)


def more_patients() -> str:
    """Patients like those that the lake has: every third, measured with an error of up to one percent."""
    dice = random.Random(7)
    header, *rows = csv.reader(io.StringIO(breast_cancer_csv(LABEL_COLUMN)))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    for *features, label in rows[::3]:
        writer.writerow([*(repr(float(value) * dice.uniform(0.99, 1.01)) for value in features), label])
    return text.getvalue()


def traffic_to(rehearsal: Rehearsal) -> Traffic:
    runtime = boto3.client(
        "sagemaker-runtime",
        endpoint_url=rehearsal.settings.endpoint_url,
        region_name=rehearsal.settings.region,
        aws_access_key_id=rehearsal.settings.account,
        aws_secret_access_key="embedded",
        config=Config(retries={"total_max_attempts": 1}),
    )
    body = json.dumps({"instances": [rehearsal.features()]})
    return Traffic(runtime, rehearsal.platform.parameter("serving/endpoint-name"), body)


def live(rehearsal: Rehearsal) -> dict[str, Any]:
    name = rehearsal.platform.parameter("serving/endpoint-name")
    described: dict[str, Any] = rehearsal.client("sagemaker").describe_endpoint(EndpointName=name)
    return described


def package(rehearsal: Rehearsal, arn: str) -> dict[str, Any]:
    described: dict[str, Any] = rehearsal.client("sagemaker").describe_model_package(ModelPackageName=arn)
    return described


def served_package(rehearsal: Rehearsal) -> str:
    sagemaker = rehearsal.client("sagemaker")
    configuration = sagemaker.describe_endpoint_config(EndpointConfigName=live(rehearsal)["EndpointConfigName"])
    (variant,) = configuration["ProductionVariants"]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    return str(model["PrimaryContainer"]["Environment"]["MODEL_PACKAGE_ARN"])


def test_more_data_brings_a_second_version_into_production(rehearsal: Rehearsal, second: SecondRelease) -> None:
    old, new = rehearsal.packages()
    facts = package(rehearsal, new)["CustomerMetadataProperties"]

    assert second.release.status == "SUCCEEDED", second.release.cause
    assert facts["run_id"] == second.run.name
    assert served_package(rehearsal) == new
    stages = {arn: package(rehearsal, arn)["ModelLifeCycle"]["StageStatus"] for arn in (old, new)}
    assert stages == {old: "Retired", new: "InService"}


def test_the_second_version_is_compared_with_the_first_before_it_is_registered(second: SecondRelease) -> None:
    assert "EvaluateAgainstProduction" in [state.name for state in second.run.states]


def test_green_comes_up_beside_blue_is_tested_and_only_then_gets_the_traffic(second: SecondRelease) -> None:
    steps = ["CreateModel", "BringUpGreen", "TestGreen", "ShiftTraffic", "RetireBlue", "MarkProduction"]

    assert [state.name for state in second.release.states if state.name in steps] == steps


def test_no_caller_notices_a_release(second: SecondRelease) -> None:
    assert second.traffic.failures == []
    assert [variant for variant, _ in itertools.groupby(second.traffic.variants)] == ["a", "b"]


def test_only_green_is_left(rehearsal: Rehearsal, second: SecondRelease) -> None:
    endpoint = live(rehearsal)

    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["EndpointConfigName"] != second.configuration_before
    assert [(one["VariantName"], one["CurrentWeight"]) for one in endpoint["ProductionVariants"]] == [("b", 1.0)]


def test_people_hear_of_the_second_release(rehearsal: Rehearsal, second: SecondRelease) -> None:
    message = rehearsal.inbox.about(second.release.name)

    assert message["Message"].startswith("dev-breast-cancer version 2 serves all traffic of dev-breast-cancer: ")


@pytest.fixture(scope="module")
def failed(rehearsal: Rehearsal, second: SecondRelease) -> tuple[ExecutionReport, Traffic, str]:
    """Going back to the first version by hand, while the models' role may not read their archives."""
    old, _ = rehearsal.packages()
    role = rehearsal.live["model"]["ExecutionRoleArn"]
    with traffic_to(rehearsal) as traffic, without(rehearsal.client("iam"), role, "s3:GetObject") as name:
        traffic.wait_for_answers(5)
        started = rehearsal.releases.start("back-to-the-first", json.dumps({"model_package_arn": old}))
        release = rehearsal.releases.follow(started, 60, lambda _state: None)
        traffic.wait_for_answers(5)
    return release, traffic, name


def test_a_model_that_may_not_read_its_archive_fails_its_release_by_name(
    failed: tuple[ExecutionReport, Traffic, str],
) -> None:
    release, _, role = failed

    assert release.status == "FAILED"
    for words in ("s3:GetObject", role, "dev-breast-cancer version 2 serves all traffic"):
        assert words in (release.cause or "")


def test_a_failed_release_leaves_the_version_before_it_serving(
    rehearsal: Rehearsal, failed: tuple[ExecutionReport, Traffic, str]
) -> None:
    release, traffic, _ = failed
    old, new = rehearsal.packages()

    assert traffic.failures == []
    assert set(traffic.variants) == {"b"}
    assert served_package(rehearsal) == new
    rejected = package(rehearsal, old)
    assert rejected["ModelApprovalStatus"] == "Rejected"
    assert rejected["ApprovalDescription"] == release.cause
    assert release.cause in rehearsal.inbox.about(release.name)["Message"]

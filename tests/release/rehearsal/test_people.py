"""Does a release wait for a person on the embedded AWS, and read afterwards as it was?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from mlplatform_cdk.cli.main import app
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.release_strategy import Gate
from tests.release.rehearsal.answering import Mailbox, browse
from tests.release.rehearsal.conftest import CANARY, ENDPOINT, Rehearsal

STRATEGY = CANARY.with_(gates=(Gate(20, timedelta(hours=1)),), retention=timedelta(days=7))
Run = Callable[..., Result]


@pytest.fixture
def run(rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A verb of ``mlplatform release`` against the embedded AWS."""
    settings = rehearsal.aws.settings
    for name, value in {
        "AWS_ACCESS_KEY_ID": settings.account,
        "AWS_SECRET_ACCESS_KEY": "embedded",
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        "RELEASE_EVENT_BUS": "",
    }.items():
        monkeypatch.setenv(name, value)
    aws.client.cache_clear()

    def ask(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["release", *arguments, "--endpoint-url", settings.endpoint_url])

    return ask


@pytest.fixture
def as_team(rehearsal: Rehearsal) -> Callable[[], AbstractContextManager[None]]:
    """Be the team's role in a block, which may answer and nothing else."""

    @contextmanager
    def assumed() -> Iterator[None]:
        keys = rehearsal.aws.client("sts").assume_role(RoleArn=rehearsal.outputs["Team"], RoleSessionName="ann")
        with pytest.MonkeyPatch.context() as environment:
            for name, key in (("ACCESS_KEY_ID", "AccessKeyId"), ("SECRET_ACCESS_KEY", "SecretAccessKey")):
                environment.setenv(f"AWS_{name}", keys["Credentials"][key])
            environment.setenv("AWS_SESSION_TOKEN", keys["Credentials"]["SessionToken"])
            environment.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the keys that it found first
            aws.client.cache_clear()
            yield
        aws.client.cache_clear()

    return assumed


@pytest.fixture
def mailbox(rehearsal: Rehearsal) -> Mailbox:
    """Gets the letters from here on."""
    return Mailbox(rehearsal.aws, rehearsal.outputs["Topic"])


def status(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("status", ENDPOINT, "--json").stdout)
    return found


def serving(rehearsal: Rehearsal) -> list[str]:
    """The versions that have most of the traffic: blue's while green has a part of it."""
    shares = rehearsal.traffic()
    return [arn for arn, share in shares.items() if share == max(shares.values())]


@pytest.fixture
def waiting(rehearsal: Rehearsal, run: Run) -> str:
    """A release that waits at its gate; the version before it serves."""
    if not rehearsal.aws.client("sagemaker").list_endpoints()["Endpoints"]:
        rehearsal.approve(rehearsal.register())
    execution = rehearsal.started(rehearsal.register())
    rehearsal.until(lambda: status(run)["gate"])
    return execution


def test_a_release_goes_on_when_somebody_of_the_team_approves_it(
    rehearsal: Rehearsal, run: Run, waiting: str, as_team: Callable[[], AbstractContextManager[None]]
) -> None:
    with as_team():
        seen = run("status", ENDPOINT)
        answered = run("approve", ENDPOINT, "--reason", "looks right")
    ended = rehearsal.end_of(waiting)

    assert (seen.exit_code, answered.exit_code) == (0, 0), seen.output + answered.output
    assert ended["status"] == "SUCCEEDED"
    records = json.loads(run("history", ENDPOINT, "--release", waiting, "--json").stdout)
    (decision,) = [one for one in records if one["decision"] == "approved"]
    assert decision["reason"] == "looks right"
    assert "Team" in decision["who"]
    assert decision["metrics"]["green"]
    assert run("status", ENDPOINT, "--follow").exit_code == 0


def test_a_release_goes_back_when_a_person_rejects_it(rehearsal: Rehearsal, run: Run, waiting: str) -> None:
    before = rehearsal.traffic()

    run("reject", ENDPOINT, "--reason", "not today")
    ended = rehearsal.end_of(waiting)

    assert ended["status"] == "FAILED"
    assert "not today" in ended["cause"]
    version = next(arn for arn in before if arn.endswith(max(arn.rpartition("/")[2] for arn in before)))
    assert rehearsal.package(version)["ModelApprovalStatus"] == "Rejected"
    assert run("status", ENDPOINT, "--follow").exit_code == 1
    assert run("approve", ENDPOINT).exit_code == 1


def test_an_aborted_release_is_brought_back_and_told_as_one(rehearsal: Rehearsal, run: Run, waiting: str) -> None:
    before = serving(rehearsal)

    assert run("abort", ENDPOINT, "--reason", "the wrong version").exit_code == 0
    found = rehearsal.until(lambda: (seen := status(run))["percent"] == 0 and seen)

    assert before != []
    assert serving(rehearsal) == before
    assert waiting in {one["release"] for one in found["records"]}
    (back,) = [one for one in found["records"] if one["step"] == "WayBack"]
    assert "the wrong version" in back["reason"]


def test_a_rollback_brings_back_the_version_that_is_kept(rehearsal: Rehearsal, run: Run, waiting: str) -> None:
    before = serving(rehearsal)
    run("approve", ENDPOINT)
    rehearsal.end_of(waiting)
    released = serving(rehearsal)

    assert run("rollback", ENDPOINT, "--reason", "calls complain", "--follow").exit_code in (0, 1)

    assert released != before
    rehearsal.until(lambda: serving(rehearsal) == before)
    rejected = rehearsal.package(released[0])
    assert rejected["ModelApprovalStatus"] == "Rejected"
    assert "calls complain" in rejected["ApprovalDescription"]


def test_a_release_is_approved_by_the_link_in_a_letter_and_its_report_lies_beside_the_models(
    rehearsal: Rehearsal, mailbox: Mailbox, waiting: str
) -> None:
    link = rehearsal.until(mailbox.link)
    opened, page = browse(link)
    assert (opened, "Approve: go on" in page) == (200, True)
    assert rehearsal.aws.client("stepfunctions").describe_execution(executionArn=waiting)["status"] == "RUNNING"
    assert browse(link.replace("gate=", "gate=0"), who="Mallory", decision="approved")[0] == 403

    first, second = (browse(link, who=who, decision=said) for who, said in (("Ann", "approved"), ("Bob", "rejected")))
    assert (first[0], second[0]) == (200, 409)
    assert "was approved by Ann" in second[1]
    assert rehearsal.end_of(waiting)["status"] == "SUCCEEDED"
    s3, name = rehearsal.aws.client("s3"), waiting.rpartition(":")[2]

    page = (
        s3.get_object(Bucket=rehearsal.outputs["Bucket"], Key=f"releases/{ENDPOINT}/{name}.html")["Body"]
        .read()
        .decode()
    )

    assert '<span class="badge good">' in page
    assert "shift to 20 percent" in page
    assert page.count("<svg") >= 2

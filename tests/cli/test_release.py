"""``mlplatform release``: what a person does with releases, and what the terminal says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, ClassVar

import boto3
import pytest
from typer.testing import CliRunner, Result

from mlplatform_cdk.cli.console import OUT, CommandFailed
from mlplatform_cdk.cli.main import app
from mlplatform_cdk.runtimekit import aws, release_records
from mlplatform_cdk.runtimekit.release_address import ReleaseAddress
from mlplatform_cdk.runtimekit.release_strategy import Gate, Strategy
from tests.release.gates_world import ENDPOINT, TABLE, VERSION, Waiting, embedded, opened
from tests.release.stories import beginning, released, rolled_back

STRATEGY = Strategy(
    steps=(5, 20, 50, 100), gates=(Gate(50, timedelta(hours=2)),), bake=timedelta(hours=24), retention=timedelta(days=7)
)
DEFINITION = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 900, "End": True}}})
ROLE = "arn:aws:iam::123456789012:role/machine"


class World:
    """An endpoint whose releases are published, and what its machine was asked."""

    def __init__(self, waiting: Waiting) -> None:
        self.waiting = waiting
        self.states = boto3.client("stepfunctions")
        self.machine = self.states.create_state_machine(name="Release", definition=DEFINITION, roleArn=ROLE)[
            "stateMachineArn"
        ]
        self.publish(ENDPOINT)

    def publish(self, endpoint: str, **changes: Any) -> None:
        address = ReleaseAddress(
            endpoint=endpoint,
            machine=self.machine,
            table=TABLE,
            instance_type=changes.pop("instance_type", "ml.m5.large"),
            minimum=1,
            maximum=4,
            strategy=changes.pop("strategy", STRATEGY.to_mapping()),
            group="churn",
        )
        boto3.client("ssm").put_parameter(
            Name=address.parameter, Value=json.dumps(address.to_mapping()), Type="String", Overwrite=True
        )

    def register(self, approval: str) -> str:
        sagemaker = boto3.client("sagemaker")
        groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
        if not groups:
            sagemaker.create_model_package_group(ModelPackageGroupName="churn")
        arn: str = sagemaker.create_model_package(
            ModelPackageGroupName="churn", ModelApprovalStatus=approval, ModelPackageDescription="one"
        )["ModelPackageArn"]
        return arn

    def serve(self, instances: int) -> None:
        sagemaker = boto3.client("sagemaker")
        sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": "i:1"}, ExecutionRoleArn=ROLE)
        variant = {"VariantName": "a", "ModelName": "m", "InitialInstanceCount": instances, "InitialVariantWeight": 1.0}
        sagemaker.create_endpoint_config(
            EndpointConfigName="c", ProductionVariants=[{**variant, "InstanceType": "ml.m5.large"}]
        )
        sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="c")

    def run(self, name: str = "one") -> str:
        """Let the machine run a release that holds the lock."""
        arn: str = self.states.start_execution(stateMachineArn=self.machine, name=name)["executionArn"]
        row = {"endpoint": f"lock#{ENDPOINT}", "at": "lock", "owner": arn, "action": "release", "version": VERSION}
        release_records.put(TABLE, row)
        return arn

    def inputs(self) -> list[dict[str, Any]]:
        found = self.states.list_executions(stateMachineArn=self.machine)["executions"]
        described = [self.states.describe_execution(executionArn=one["executionArn"]) for one in found]
        return [json.loads(one["input"]) for one in described]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ENDPOINT_URL", "RELEASE_EVENT_BUS"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(OUT, "_width", 120)  # it was made before the test, at whatever width
    with embedded(monkeypatch):
        clear = aws.client.cache_clear
        clear()
        listening = Waiting(monkeypatch)
        monkeypatch.setattr(aws.client, "cache_clear", lambda: None, raising=False)
        yield World(listening)
        clear()


@pytest.fixture
def write(world: World) -> Callable[..., None]:
    def make(records: list[Any], release: str | None = None) -> None:
        for record in records:
            value = record.to_mapping() | ({"release": release} if release else {})
            release_records.put(TABLE, value)

    return make


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["release", *arguments])


def failure(*arguments: str) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, CommandFailed), result.output
    return str(result.exception)


def test_a_start_says_what_it_will_do_and_cost_and_asks_first(world: World) -> None:
    arn = world.register("Approved")
    world.serve(2)

    result = CliRunner().invoke(app, ["release", "start", ENDPOINT, "1", "--reason", "better"], input="y\n")

    assert result.exit_code == 0, result.output
    assert "5, 20, 50, 100 % of the traffic; a person is asked at 50 %" in result.output
    assert "A second fleet of 2 ml.m5.large for 1 d" in result.output
    assert "It costs about $" in result.output
    (request,) = world.inputs()
    assert request["model_package_arn"] == arn
    assert (request["action"], request["by"], request["reason"]) == ("release", "hand", "better")
    assert request["who"]


def test_a_start_that_is_not_meant_starts_nothing(world: World) -> None:
    world.register("Approved")

    result = CliRunner().invoke(app, ["release", "start", ENDPOINT, "1"], input="n\n")

    assert result.exit_code == 1
    assert world.inputs() == []


def test_a_version_that_is_not_approved_is_refused_before_anything_starts(world: World) -> None:
    arn = world.register("PendingManualApproval")

    result = run("start", ENDPOINT, arn, "--yes")

    assert result.exit_code == 1
    assert "must be Approved to be released, got PendingManualApproval" in result.output
    assert world.inputs() == []


def test_the_first_version_of_an_endpoint_needs_no_second_fleet(world: World) -> None:
    world.register("Approved")

    assert "no second fleet" in run("start", ENDPOINT, "1", "--yes").output


def test_an_instance_without_a_price_costs_an_unknown_sum_and_not_nothing(world: World) -> None:
    world.register("Approved")
    world.serve(1)
    world.publish(ENDPOINT, instance_type="ml.x99.mega")

    result = run("start", ENDPOINT, "1", "--json")

    assert "Its cost is unknown" in result.stderr
    assert json.loads(result.stdout)["cost"]["usd"] is None


def test_a_program_reads_the_cost_and_the_execution(world: World) -> None:
    world.register("Approved")
    world.serve(1)

    found = json.loads(run("start", ENDPOINT, "1", "--json", "--supersede").stdout)

    assert found["release"].startswith("arn:aws:states:")
    assert found["cost"]["instance_hours"]["expected"] < found["cost"]["instance_hours"]["most"]
    assert world.inputs()[0]["supersede"] is True


@pytest.mark.parametrize(
    ("version", "said"), [("7", "churn has no version 7"), ("four", "must be a number or the ARN")]
)
def test_a_version_that_is_not_there_is_told_in_one_sentence(world: World, version: str, said: str) -> None:
    world.register("Approved")

    assert said in failure("start", ENDPOINT, version, "--yes")


def test_an_endpoint_without_releases_is_told_with_those_that_have_some(world: World) -> None:
    assert "there are those of: dev-churn" in failure("status", "prod-churn")


def test_the_endpoint_may_be_left_out_where_there_is_one(world: World, write: Callable[..., None]) -> None:
    write(rolled_back())
    assert run("status").exit_code == 0

    world.publish("another")

    assert failure("status") == "name the endpoint: another, dev-churn"


def test_the_status_draws_where_the_release_stands(world: World, write: Callable[..., None]) -> None:
    arn = world.run()
    write(beginning(), arn)

    out = run("status", ENDPOINT).stdout

    assert "dev-churn  churn version 4  running" in out
    assert "green 5 %" in out
    assert "5  20  50 ⚑  100  %" in out
    assert "look again (9 times)" in out
    assert "20 golden requests" in out
    assert "share of failures" in out


def test_the_course_of_the_traffic_rises_and_falls(world: World, write: Callable[..., None]) -> None:
    write(rolled_back())
    (back,) = [line for line in run("status").stdout.splitlines() if line.startswith("course")]
    write(released())
    (there,) = [line for line in run("status").stdout.splitlines() if line.startswith("course")]

    back, there = (line[len("course   ") :][:48] for line in (back, there))
    assert (back[0], back[-4], back[-1]) == (" ", "▂", " ")
    assert there.endswith("█")


def test_a_release_that_waits_says_how_to_answer(world: World, write: Callable[..., None]) -> None:
    arn = world.run()
    write(beginning(), arn)
    gate = opened(release=arn)

    out = run("status").stdout

    assert f"mlplatform release approve dev-churn --gate {gate.id}" in out
    assert json.loads(run("status", "--json").stdout)["gate"]["id"] == gate.id


def test_a_program_reads_the_status(world: World, write: Callable[..., None]) -> None:
    write(rolled_back())

    found = json.loads(run("status", "--json").stdout)

    assert (found["endpoint"], found["percent"], found["gate"]) == (ENDPOINT, 0, None)
    assert found["records"][-1]["decision"] == "rejected, and brought back"
    assert found["metrics"]["green"]["latency_p99_ms"] == 41.5


def test_following_a_release_that_went_back_ends_with_1(world: World, write: Callable[..., None]) -> None:
    arn = world.run()
    write(rolled_back(), arn)
    world.states.stop_execution(executionArn=arn, error="Release.Aborted", cause="alice: no")

    result = run("status", "--follow")

    assert result.exit_code == 1
    assert "aborted" in result.stdout


@pytest.mark.parametrize(("verb", "decision"), [("approve", "approved"), ("reject", "rejected")])
def test_an_answer_reaches_the_release_that_waits(world: World, verb: str, decision: str) -> None:
    gate = opened()

    result = run(verb, ENDPOINT, "--gate", gate.id, "--reason", "seen it")

    assert result.exit_code == 0, result.output
    assert decision in result.stdout
    assert len(world.waiting.heard) == 1
    (record,) = release_records.history(TABLE, ENDPOINT)
    assert (record.decision, record.reason) == (decision, "seen it")


def test_an_answer_where_nothing_waits_is_a_closed_gate(world: World) -> None:
    result = run("approve", ENDPOINT)

    assert result.exit_code == 1
    assert "refused: no release of dev-churn waits at a gate" in result.output


def test_an_abort_stops_the_release_that_runs_and_says_who_and_why(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = world.run()
    asked: list[dict[str, str]] = []
    monkeypatch.setattr(aws.client("stepfunctions"), "stop_execution", lambda **request: asked.append(request))

    assert run("abort", ENDPOINT, "--reason", "the wrong version").exit_code == 0

    (request,) = asked
    assert (request["executionArn"], request["error"]) == (arn, "Release.Aborted")
    assert request["cause"].endswith(": the wrong version")


def test_an_abort_where_nothing_runs_is_refused(world: World) -> None:
    result = run("abort", ENDPOINT)

    assert result.exit_code == 1
    assert "mlplatform release rollback" in result.output


def test_a_rollback_that_releases_the_version_before_is_aborted_like_a_release(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"endpoint": f"lock#{ENDPOINT}", "at": "lock", "owner": world.run(), "action": "rollback"}
    release_records.put(TABLE, row | {"plan": json.dumps({"way": "beside"})})
    asked: list[dict[str, str]] = []
    monkeypatch.setattr(aws.client("stepfunctions"), "stop_execution", lambda **request: asked.append(request))

    assert run("abort", ENDPOINT).exit_code == 0
    assert [one["error"] for one in asked] == ["Release.Aborted"]


@pytest.mark.parametrize("plan", [{}, {"plan": json.dumps({"way": "rollback"})}], ids=["not planned yet", "weights"])
def test_a_way_back_is_not_to_be_aborted(world: World, plan: dict[str, str]) -> None:
    arn = world.run()
    row = {"endpoint": f"lock#{ENDPOINT}", "at": "lock", "owner": arn, "action": "rollback"}
    release_records.put(TABLE, row | plan)

    result = run("abort", ENDPOINT)

    assert result.exit_code == 1
    assert world.states.describe_execution(executionArn=arn)["status"] == "RUNNING"


def test_a_rollback_starts_the_machine_with_who_and_why(world: World) -> None:
    assert run("rollback", ENDPOINT, "--reason", "calls complain").exit_code == 0

    (request,) = world.inputs()
    assert (request["action"], request["by"], request["reason"]) == ("rollback", "hand", "calls complain")
    assert request["who"]


def test_a_rollback_names_the_version_that_is_meant_when_it_is_asked_for(world: World) -> None:
    """So that an alarm which brings it back first is not followed by a rollback of the version before."""
    world.run()

    result = run("rollback", ENDPOINT)

    assert result.exit_code == 0, result.output
    assert [one["model_package_arn"] for one in world.inputs() if one.get("action") == "rollback"] == [VERSION]


def test_a_rollback_during_an_ab_test_does_not_take_the_name_of_the_run_for_a_version(world: World) -> None:
    row = {"endpoint": f"lock#{ENDPOINT}", "at": "lock", "owner": "arn:test", "action": "ab_test"}
    release_records.put(TABLE, row | {"version": "offers-1a2b3c4d5e"})

    assert run("rollback", ENDPOINT).exit_code == 0
    assert ["model_package_arn" in one for one in world.inputs()] == [False], "the machine takes what has the traffic"


def test_the_history_shows_who_did_what(world: World, write: Callable[..., None]) -> None:
    write(rolled_back())

    out = run("history", "--newest", "3").stdout

    assert out.count("2026-11-22 09:") == 3
    assert "rejected, and brought back" in out
    shown = json.loads(run("history", "--json").stdout)
    assert [one["step"] for one in shown][:3] == ["Plan", "Preflight", "TestGreen"]
    assert shown[0]["who"] == "alice"


class Train:
    """A train that is published, and one that waits before its second wave."""

    facts: ClassVar = {"wave": "2 of 2: europe", "departs to": "prod-eu", "has arrived at": "staging"}

    def __init__(self, world: World) -> None:
        self._world = world
        world.publish("churn-train", instance_type="", strategy={})

    def wait(self) -> str:
        arn: str = self._world.states.start_execution(stateMachineArn=self._world.machine)["executionArn"]
        release_records.record(
            TABLE,
            endpoint="churn-train",
            release=arn,
            version=VERSION,
            step="Advance",
            who="the train",
            decision="ask",
            percent=50.0,
        )
        opened(endpoint="churn-train", release=arn, percent=50.0, metrics=self.facts)
        return arn


def test_a_train_that_waits_says_where_it_is_and_how_to_answer(world: World) -> None:
    Train(world).wait()

    out = run("status", "churn-train").stdout

    assert "churn-train  churn version 4  running" in out
    assert "50 % reached" in out
    assert "departs to: prod-eu" in out
    assert "mlplatform release approve churn-train --gate" in out
    assert "traffic" not in out


@pytest.mark.parametrize(("verb", "decision"), [("approve", "approved"), ("reject", "rejected")])
def test_a_train_hears_an_answer_by_its_name(world: World, verb: str, decision: str) -> None:
    Train(world).wait()

    result = run(verb, "churn-train", "--reason", "seen it")

    assert result.exit_code == 0, result.output
    assert len(world.waiting.heard) == 1
    assert [one.decision for one in release_records.history(TABLE, "churn-train")][-1] == decision


def test_a_train_is_sent_off_by_hand_without_a_price_of_its_own(world: World) -> None:
    arn = world.register("Approved")
    Train(world)

    result = run("start", "churn-train", "1", "--yes")

    assert result.exit_code == 0, result.output
    assert "churn version 1 by the train churn-train; each stop's release has its price." in result.output
    assert [one["model_package_arn"] for one in world.inputs()] == [arn]


def test_a_train_can_be_stopped_and_is_not_to_be_rolled_back(world: World) -> None:
    """``rollback`` would send it off once more: it has no version of its own to take back."""
    train = Train(world).wait()

    refused = run("rollback", "churn-train")
    assert (refused.exit_code, "take back each of its stops' endpoints" in refused.output) == (1, True)
    assert len(world.inputs()) == 1

    stopped = run("abort", "churn-train", "--reason", "not today")
    assert "the releases that it has begun go on" in stopped.output
    assert world.states.describe_execution(executionArn=train)["status"] == "ABORTED"
    assert run("abort", "churn-train").exit_code == 1


def test_another_aws_is_asked_where_it_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    monkeypatch.setenv("AWS_REGION", "")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "")

    result = run("status", "--endpoint-url", "http://127.0.0.1:9", "--region", "eu-west-1")

    assert isinstance(result.exception, CommandFailed)
    assert "127.0.0.1:9" in str(result.exception)

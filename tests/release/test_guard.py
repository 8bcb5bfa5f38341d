"""Does an alarm on green, and only that, take the traffic from it at once; and is what died brought back?"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from mlplatform_cdk.release.ab_test.runtime import lock as ab_test_lock
from mlplatform_cdk.release.blue_green.runtime import guard, lock, lock_rows, recovery
from mlplatform_cdk.runtimekit import aws, release_records
from tests.release.table import EARLY, ENDPOINT, LAST, LATER, MACHINE, ONE, TABLE, THREE, TWO, States, world

PLAN: dict[str, Any] = {
    "green": {"variant": "b"},
    "blue": {"exists": True, "variant": "a", "weight": 1.0},
    "finishing": False,
    "shifted": True,
}
TOPIC = "arn:aws:sns:eu-west-1:123456789012:people"
ALARMS = {"a": ["a-errors"], "b": ["b-errors", "b-latency"], "business": ["orders"]}
TO_BLUE = [{"VariantName": "a", "DesiredWeight": 1.0}, {"VariantName": "b", "DesiredWeight": 0.0}]


@pytest.fixture(autouse=True)
def states(monkeypatch: pytest.MonkeyPatch) -> Iterator[States]:
    with world(monkeypatch) as made:
        yield made


@pytest.fixture(autouse=True)
def sagemaker(states: States, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    client, known = boto3.client("sagemaker"), aws.client
    monkeypatch.setattr(aws, "client", lambda service: client if service == "sagemaker" else known(service))
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


def release(plan: dict[str, Any] | None = None) -> None:
    """A release that runs."""
    lock.take(ENDPOINT, ONE, "v1", asked=EARLY)
    lock.keep(ENDPOINT, ONE, PLAN if plan is None else plan)


def ring(alarm: str, *, at: datetime | None = None) -> str:
    moment = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    told = {"endpoint_name": ENDPOINT, "reason": "12 errors in a minute", "alarms": ALARMS}
    event = {**told, "alarm": alarm, "at": moment}
    stopped: str = guard.on_alarm(event)["stopped"]
    return stopped


@pytest.mark.parametrize("alarm", ["b-errors", "b-latency", "orders"])
def test_an_alarm_on_green_or_on_business_gives_all_traffic_to_blue_and_ends_the_release(
    states: States, sagemaker: Stubber, alarm: str
) -> None:
    release()
    asked = {"EndpointName": ENDPOINT, "DesiredWeightsAndCapacities": TO_BLUE}
    sagemaker.add_response("update_endpoint_weights_and_capacities", {"EndpointArn": f"{'a' * 20}"}, asked)

    assert ring(alarm) == ONE
    assert states.executions[ONE] == {
        "status": "ABORTED",
        "error": "Release.Alarm",
        "cause": f"{alarm}: 12 errors in a minute",
    }


def test_an_alarm_of_the_business_before_green_has_traffic_moves_none_and_blames_nobody(states: States) -> None:
    release({**PLAN, "shifted": False})

    assert ring("orders") == ONE
    assert states.executions[ONE]["error"] == "Release.EarlyAlarm"
    assert states.executions[ONE]["cause"] == (
        "orders: 12 errors in a minute; no caller has met v1 yet, so it is not to blame: start its release again when "
        "the alarm is over"
    )


def test_a_release_of_an_older_machine_whose_plan_says_nothing_of_traffic_is_ended_as_one_with_traffic(
    sagemaker: Stubber,
) -> None:
    release({name: value for name, value in PLAN.items() if name != "shifted"})
    sagemaker.add_response("update_endpoint_weights_and_capacities", {"EndpointArn": f"{'a' * 20}"})

    assert ring("orders") == ONE


@pytest.mark.parametrize("alarm", ["a-errors", "another-team's"])
def test_an_alarm_on_blue_or_of_somebody_else_does_nothing(states: States, alarm: str) -> None:
    release()

    assert ring(alarm) == ""
    assert states.executions[ONE]["status"] == "RUNNING"


def test_an_alarm_while_nothing_is_released_does_nothing(states: States) -> None:
    assert ring("b-errors") == ""

    lock.take(ENDPOINT, ONE, "v1", asked=EARLY)
    assert ring("b-errors") == ""  # it has not planned yet, and touched nothing

    lock.keep(ENDPOINT, ONE, PLAN)
    states.end(ONE)
    assert ring("b-errors") == ""  # it is on its way back


def test_an_alarm_of_the_release_before_does_nothing_however_late_its_event_comes(states: States) -> None:
    release()

    assert ring("b-errors", at=datetime.now(UTC) - timedelta(minutes=2)) == ""
    assert states.executions[ONE]["status"] == "RUNNING"


def test_an_alarm_after_green_has_passed_all_does_nothing() -> None:
    release({**PLAN, "finishing": True})

    assert ring("b-errors") == ""


def test_an_alarm_ends_no_way_back(states: States) -> None:
    lock.take(ENDPOINT, TWO, "", action="rollback", asked=LATER)
    lock.keep(ENDPOINT, TWO, PLAN)

    assert ring("b-errors") == ""
    assert states.executions[TWO]["status"] == "RUNNING"


def test_an_alarm_ends_the_release_by_which_a_rollback_brings_an_older_version(
    states: States, sagemaker: Stubber
) -> None:
    lock.take(ENDPOINT, TWO, "", action="rollback", asked=LATER)
    lock.keep(ENDPOINT, TWO, {**PLAN, "way": "beside"})
    sagemaker.add_response("update_endpoint_weights_and_capacities", {"EndpointArn": f"{'a' * 20}"})

    assert ring("orders") == "", "it is why people roll back"
    assert ring("b-errors") == TWO
    assert states.executions[TWO]["error"] == "Release.Alarm"


def test_a_first_version_has_no_blue_and_is_only_ended(states: States) -> None:
    release({**PLAN, "blue": {"exists": False, "variant": "", "weight": 0.0}})

    assert ring("b-errors") == ONE
    assert states.executions[ONE]["error"] == "Release.Alarm"


def test_weights_that_cannot_be_set_now_are_left_to_the_way_back(states: States, sagemaker: Stubber) -> None:
    release()
    sagemaker.add_client_error(
        "update_endpoint_weights_and_capacities", "ValidationException", "Cannot update an endpoint that is Updating"
    )

    assert ring("b-errors") == ONE
    assert states.executions[ONE]["status"] == "ABORTED"


def test_a_release_ends_even_if_its_weights_could_not_be_set_at_all(states: States, sagemaker: Stubber) -> None:
    release()
    sagemaker.add_client_error("update_endpoint_weights_and_capacities", "ThrottlingException", "Rate exceeded")

    with pytest.raises(ClientError, match="Rate exceeded"):
        ring("b-errors")
    assert states.executions[ONE]["error"] == "Release.Alarm"


def end(
    execution: str, states: States, *, status: str = "ABORTED", topic: str = "", why: str = "", **request: Any
) -> str:
    states.end(execution, status, **({"error": "Release.Aborted", "cause": why} if why else {}))
    ended = {"executionArn": execution, "status": status, "input": json.dumps(request)}
    event = {"endpoint_name": ENDPOINT, "machine_arn": MACHINE, "topic_arn": topic, "ended": ended}
    started: str = guard.on_end(event)["started"]
    return started


def test_a_release_that_died_with_the_lock_is_recovered_once(states: States) -> None:
    release()

    name = end(ONE, states, model_package_arn="v1")

    (started,) = states.started
    assert (started["stateMachineArn"], started["name"]) == (MACHINE, name)
    assert json.loads(started["input"]) == {
        "action": "recover",
        "execution_arn": ONE,
        "attempt": 1,
        "by": "interruption",
    }
    assert end(ONE, states, model_package_arn="v1") == ""  # EventBridge may tell it twice


def test_a_release_that_let_go_before_it_failed_needs_no_recovery(states: States) -> None:
    release()
    lock.free(ENDPOINT, ONE)

    assert end(ONE, states) == ""
    assert states.started == []


def test_the_end_of_one_that_waited_starts_nothing_and_clears_its_place_in_the_line_and_no_other(
    states: States,
) -> None:
    release()
    lock.take(ENDPOINT, TWO, "v2", asked=LATER)
    lock.take(ENDPOINT, THREE, "v3", asked=LAST)

    assert end(TWO, states) == ""
    assert [row.owner for row in lock_rows.read(ENDPOINT)] == [ONE, THREE]


def test_one_that_was_stopped_while_it_waited_leaves_a_record_of_who_and_why(states: States) -> None:
    release()
    lock.take(ENDPOINT, TWO, "v2", asked=LATER)

    for _ in range(2):  # the event may come again
        end(TWO, states, why="ada: the wrong version")

    (record,) = release_records.history(TABLE, ENDPOINT)
    assert (record.release, record.version, record.step) == (TWO, "v2", "Ended")
    assert (record.who, record.decision, record.reason) == ("ada", "ended before it began", "the wrong version")


def test_an_ab_test_begins_as_soon_as_the_release_that_waited_in_vain_has_ended(states: States) -> None:
    release()
    lock.take(ENDPOINT, TWO, "v2", asked=LATER)
    lock.free(ENDPOINT, ONE)

    end(TWO, states)

    ab_test_lock.take(ENDPOINT, THREE, "run-1")
    assert ab_test_lock.is_held(ENDPOINT, THREE)


def test_a_recovery_that_dies_is_tried_again_and_not_for_ever(states: States) -> None:
    release()
    states.end(ONE)
    lock.take(ENDPOINT, TWO, "", action="recover", asked=LATER, urgent=True)

    assert end(TWO, states, action="recover", execution_arn=ONE, attempt=1)
    assert json.loads(states.started[0]["input"])["attempt"] == 2
    assert end(TWO, states, action="recover", execution_arn=ONE, attempt=recovery.MOST_ATTEMPTS) == ""


def test_a_recovery_that_died_before_it_had_the_lock_is_tried_again(states: States) -> None:
    release()
    states.end(ONE)

    assert end(THREE, states, action="recover", execution_arn=ONE, attempt=1)


@pytest.mark.parametrize("text", ["", "no json", "[1]", "null"])
def test_an_input_that_is_no_mapping_is_no_reason_to_leave_the_endpoint(states: States, text: str) -> None:
    release()
    event = {
        "endpoint_name": ENDPOINT,
        "machine_arn": MACHINE,
        "topic_arn": TOPIC,
        "ended": {"executionArn": ONE, "input": text},
    }

    assert guard.on_end(event)["started"]


@pytest.fixture
def letters() -> Callable[[], list[str]]:
    """What people were told."""
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    assert sns.create_topic(Name="people")["TopicArn"] == TOPIC
    queue = sqs.create_queue(QueueName="people")["QueueUrl"]
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:people")

    def read() -> list[str]:
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(one["Body"])["Message"] for one in found]

    return read


def rings() -> bool:
    """Is there the metric that the alarm looks at."""
    return bool(
        boto3.client("cloudwatch").list_metrics(Namespace=guard.NAMESPACE, MetricName=guard.GIVEN_UP)["Metrics"]
    )


def test_after_three_ways_back_that_failed_a_person_is_told_what_to_do(
    states: States, letters: Callable[[], list[str]]
) -> None:
    release()
    states.end(ONE)
    lock.take(ENDPOINT, TWO, "", action="recover", asked=LATER, urgent=True)

    end(TWO, states, topic=TOPIC, action="recover", execution_arn=ONE, attempt=2)
    assert (letters(), rings()) == ([], False)
    end(TWO, states, topic=TOPIC, action="recover", execution_arn=ONE, attempt=3)

    (letter,) = letters()
    assert letter == (
        f"{ENDPOINT} is as an interrupted release left it: 3 ways back failed, and the last try was {TWO}. Look at the "
        f"endpoint now; mlplatform release rollback {ENDPOINT} tries the way back again"
    )
    assert rings()


def test_a_third_way_back_that_let_go_before_it_failed_is_no_news(
    states: States, letters: Callable[[], list[str]]
) -> None:
    end(TWO, states, topic=TOPIC, action="recover", execution_arn=ONE, attempt=3)

    assert (letters(), rings()) == ([], False)


RETIREMENT: dict[str, Any] = {"action": "retire", "by": "retention", "after_s": 604_800, "plan": PLAN}


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT"])
def test_a_retirement_that_failed_is_made_again_after_an_hour(states: States, status: str) -> None:
    assert end(ONE, states, status=status, **RETIREMENT)
    assert end(ONE, states, status=status, **RETIREMENT) == ""  # EventBridge may tell it twice

    (started,) = states.started
    assert json.loads(started["input"]) == {**RETIREMENT, "after_s": 3600, "attempt": 2}


def test_a_retirement_that_died_with_the_endpoint_is_made_again_and_its_turn_is_cleared(states: States) -> None:
    lock.take(ENDPOINT, ONE, "", action="retire", asked=EARLY)

    end(ONE, states, **RETIREMENT)

    assert [json.loads(one["input"])["action"] for one in states.started] == ["recover", "retire"]


def test_who_stops_a_retirement_that_still_waits_keeps_blue(states: States) -> None:
    assert end(ONE, states, status="ABORTED", **RETIREMENT) == ""


def test_where_there_is_no_topic_the_alarm_alone_tells(states: States) -> None:
    ended = {"executionArn": ONE, "status": "FAILED", "input": json.dumps({**RETIREMENT, "attempt": 3})}
    guard.on_end({"endpoint_name": ENDPOINT, "machine_arn": MACHINE, "topic_arn": "", "ended": ended})

    assert rings()


def test_after_three_retirements_that_failed_a_person_is_told(states: States, letters: Callable[[], list[str]]) -> None:
    assert end(ONE, states, status="FAILED", topic=TOPIC, **RETIREMENT, attempt=3) == ""

    (letter,) = letters()
    assert letter.startswith(
        f"{ENDPOINT} keeps a version without traffic, which costs an instance: 3 tries to retire it"
    )
    assert rings()

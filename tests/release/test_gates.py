"""Does a release wait for a person, and for one answer only?"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from mlplatform_cdk.release.gates.chat.runtime import handler as chat
from mlplatform_cdk.release.gates.runtime import handler as ask
from mlplatform_cdk.release.gates.runtime import messages
from mlplatform_cdk.runtimekit import release_gates, release_records
from mlplatform_cdk.runtimekit.release_gates import GateClosed, NotItsTurn
from tests.release.gates_world import ENDPOINT, METRICS, RELEASE, TABLE, VERSION, Waiting, embedded, opened


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waiting]:
    with embedded(monkeypatch) as world:
        yield world


def steps() -> list[tuple[str, str, str]]:
    return [(one.step, one.who, one.decision) for one in release_records.history(TABLE, ENDPOINT)]


def machine(step: str, decision: str) -> None:
    """What the release writes down after the gate."""
    told = {"release": RELEASE, "version": VERSION, "step": step, "who": "the machine", "decision": decision}
    release_records.record(TABLE, endpoint=ENDPOINT, **told)


def test_an_approval_lets_the_release_go_on_and_is_recorded(waiting: Waiting) -> None:
    opened()

    gate = release_gates.decide(TABLE, ENDPOINT, approve=True, who="alice", reason="looks\n good")

    assert waiting.heard == [
        {"token": "the-token", "decision": "approved", "who": "alice", "reason": "looks good"},
    ]
    assert (gate.decision, gate.sent) == ("approved", True)
    (record,) = release_records.history(TABLE, ENDPOINT)
    assert (record.step, record.who, record.decision, record.percent) == ("Gate", "alice", "approved", 20)
    assert record.metrics == METRICS


def test_a_rejection_fails_the_waiting_state_with_who_and_why(waiting: Waiting) -> None:
    opened()

    release_gates.decide(TABLE, ENDPOINT, approve=False, who="bob", reason="the label of last week is wrong")

    assert waiting.heard == [
        {
            "token": "the-token",
            "error": "Release.Rejected",
            "cause": "bob: the label of last week is wrong",
        }
    ]


def test_a_release_that_has_lost_its_endpoint_asks_nobody_and_leaves_the_other_ones_gate(waiting: Waiting) -> None:
    holder = {"endpoint": f"lock#{ENDPOINT}", "at": "lock", "owner": RELEASE}
    release_records.put(TABLE, holder)
    opened()

    # It was redriven at its gate, after its recovery.
    dead = RELEASE.replace(":one", ":dead")
    event = {"token": "of-the-dead", "release": dead, "version": VERSION, "percent": 20, "timeout_s": 60, "metrics": {}}
    with pytest.raises(NotItsTurn, match=f"must hold {ENDPOINT} to ask at its gate, and {RELEASE} does"):
        ask.handle({"endpoint": ENDPOINT, **event}, None)

    release_gates.decide(TABLE, ENDPOINT, approve=True, who="alice")
    assert [one["token"] for one in waiting.heard] == ["the-token"]


def test_the_first_decision_counts(waiting: Waiting) -> None:
    opened()
    release_gates.decide(TABLE, ENDPOINT, approve=True, who="alice")

    with pytest.raises(GateClosed, match="the gate of dev-churn was approved by alice already"):
        release_gates.decide(TABLE, ENDPOINT, approve=False, who="bob")

    assert len(waiting.heard) == 1
    assert steps() == [("Gate", "alice", "approved")]


def test_of_two_who_decide_at_once_one_is_told_that_he_was_late(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = opened()
    release_gates.decide(TABLE, ENDPOINT, approve=True, who="alice")
    monkeypatch.setattr(release_gates, "read_gate", lambda *_: seen)  # bob read before alice wrote

    with pytest.raises(GateClosed, match="somebody else decided"):
        release_gates.decide(TABLE, ENDPOINT, approve=False, who="bob")

    assert [answer["who"] for answer in waiting.heard] == ["alice"]


def test_a_decision_for_an_older_gate_does_not_open_the_next_one(waiting: Waiting) -> None:
    old = opened()
    opened(token="another-token", percent=50.0)

    with pytest.raises(GateClosed, match="waits at the gate"):
        release_gates.decide(TABLE, ENDPOINT, approve=True, who="alice", gate_id=old.id)

    assert not waiting.heard


def test_nobody_can_answer_where_nothing_waits(waiting: Waiting) -> None:
    with pytest.raises(GateClosed, match="no release of dev-churn waits at a gate"):
        release_gates.decide(TABLE, ENDPOINT, approve=True, who="alice")


def test_an_answer_after_the_time_out_is_refused(waiting: Waiting) -> None:
    opened(timeout_s=-1)

    with pytest.raises(GateClosed, match="its release went back"):
        release_gates.decide(TABLE, ENDPOINT, approve=True, who="alice")

    assert not waiting.heard
    assert steps() == []


def test_an_answer_to_a_release_that_was_stopped_is_refused_and_the_record_says_that_it_came_too_late(
    waiting: Waiting,
) -> None:
    opened()
    waiting.heard.append({"stopped": True})

    with pytest.raises(GateClosed, match="does not wait at its gate any more"):
        release_gates.decide(TABLE, ENDPOINT, approve=True, who="alice")

    assert steps() == [("Gate", "alice", "approved"), ("Gate", "alice", "approved, too late")]


def test_an_answer_that_was_sent_but_not_written_down_can_be_repeated(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened()
    with monkeypatch.context() as dying:
        dying.setattr(release_gates, "_mark_sent", lambda *_: (_ for _ in ()).throw(ConnectionError))
        with pytest.raises(ConnectionError):
            release_gates.decide(TABLE, ENDPOINT, approve=True, who="alice")
    assert steps() == [("Gate", "alice", "approved")]  # whoever never comes back has decided, and it is known
    machine("Shift", "shift to 60 percent")

    release_gates.decide(TABLE, ENDPOINT, approve=True, who="alice")

    assert len(waiting.heard) == 1
    assert steps() == [("Gate", "alice", "approved"), ("Shift", "the machine", "shift to 60 percent")]


@pytest.mark.parametrize("after", [[], [("WayBack", "brought back")], [("Advance", "return")]])
def test_an_approval_that_is_repeated_after_the_release_went_back_is_not_told_as_one_that_counted(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch, after: list[tuple[str, str]]
) -> None:
    opened()
    with monkeypatch.context() as dying:
        dying.setattr(release_gates, "_send", lambda *_, **__: (_ for _ in ()).throw(ConnectionError))
        with pytest.raises(ConnectionError):
            release_gates.decide(TABLE, ENDPOINT, approve=True, who="alice")
    waiting.heard.append({"timed out": True})
    for step, decision in after:
        machine(step, decision)

    with pytest.raises(GateClosed, match="does not wait at its gate any more"):
        release_gates.decide(TABLE, ENDPOINT, approve=True, who="alice")

    assert ("Gate", "alice", "approved, too late") in steps()


def test_an_answer_that_was_written_down_but_not_sent_can_be_repeated(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened()
    with monkeypatch.context() as dying:
        dying.setattr(release_gates, "_send", lambda *_, **__: (_ for _ in ()).throw(ConnectionError))
        with pytest.raises(ConnectionError):
            release_gates.decide(TABLE, ENDPOINT, approve=True, who="alice", reason="looks good")
    assert (steps(), waiting.heard) == ([("Gate", "alice", "approved")], [])

    release_gates.decide(TABLE, ENDPOINT, approve=True, who="alice", reason="as I said")

    assert [answer["reason"] for answer in waiting.heard] == ["looks good"]
    assert steps() == [("Gate", "alice", "approved")]


def test_the_function_that_opens_a_gate_opens_it_once_however_often_it_is_retried(waiting: Waiting) -> None:
    event = {
        "token": "the-token",
        "endpoint": ENDPOINT,
        "release": RELEASE,
        "version": VERSION,
        "percent": 20,
        "timeout_s": 60,
        "metrics": METRICS,
    }

    first, second = ask.handle(event, None), ask.handle(event, None)

    assert first == second
    gate = release_gates.read_gate(TABLE, ENDPOINT)
    assert gate is not None
    assert gate.is_open(datetime.now(UTC))
    assert not gate.is_open(datetime.now(UTC) + timedelta(seconds=61))


def test_people_and_the_chat_are_told_what_is_known(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = boto3.client("sqs").create_queue(QueueName="people")["QueueUrl"]
    for variable, name in {"TOPIC_ARN": "letters", "CHAT_TOPIC_ARN": "cards"}.items():
        topic = boto3.client("sns").create_topic(Name=name)["TopicArn"]
        boto3.client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:people"
        )
        monkeypatch.setenv(variable, topic)
    monkeypatch.setenv("CHAT_FUNCTION", "answer")

    event = {"token": "t", "endpoint": ENDPOINT, "release": RELEASE, "version": VERSION, "percent": 20, "timeout_s": 60}
    ask.handle({**event, "metrics": METRICS}, None)

    told = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    letter, card = (json.loads(one["Body"]) for one in told)
    gate = release_gates.read_gate(TABLE, ENDPOINT)
    assert gate is not None
    assert letter["Subject"] == "dev-churn: churn version 4 waits for you at 20 %"
    assert f'mlplatform release approve dev-churn --gate {gate.id} --reason "..."' in letter["Message"]
    assert "requests            12,031  48,113" in letter["Message"]
    assert "the-token" not in letter["Message"] + card["Message"]
    buttons = json.loads(card["Message"])["metadata"]["additionalContext"]
    assert buttons == {
        "kind": "mlplatform-release-gate",
        "gate": gate.id,
        "function": "answer",
        "region": "eu-west-1",
    }


def test_a_train_that_waits_says_how_far_it_has_come_and_not_what_it_answers(waiting: Waiting) -> None:
    facts = {"wave": "2 of 2: europe", "departs to": "prod-eu", "has arrived at": "staging"}

    letter = messages.letter(opened(endpoint="churn-train", percent=50.0, metrics=facts), link="")

    assert "churn version 4 has arrived at 50 % of the stops of churn-train, and waits for a yes until" in letter
    assert "Without one it goes no further." in letter
    assert "departs to: prod-eu\n" in letter
    assert "requests" not in letter


def test_a_subject_is_what_sns_takes(waiting: Waiting) -> None:
    subject = messages.subject(opened(endpoint="prod-" + "x" * 60, version="arn:aws:x:model-package/größe/4"))

    assert len(subject) < 100
    assert subject.isascii()
    assert "\n" not in subject


@pytest.mark.parametrize(("verb", "decision"), [("approve", "approved"), ("reject", "rejected")])
def test_a_button_of_the_chat_answers_for_the_channel(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch, verb: str, decision: str
) -> None:
    monkeypatch.setenv("CHANNEL", "the Slack channel C1")
    gate = opened()

    assert chat.handle({verb: gate.id}, None) == f"dev-churn: {decision}"
    assert chat.handle({verb: gate.id}, None) == (
        f"the gate of dev-churn was {decision} by a member of the Slack channel C1 already"
    )
    assert steps() == [("Gate", "a member of the Slack channel C1", decision)]
    assert len(waiting.heard) == 1


@pytest.mark.parametrize("event", [{}, {"approve": "1", "reject": "1"}, {"token": "1"}])
def test_a_button_that_says_neither_yes_nor_no_does_nothing(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch, event: dict[str, Any]
) -> None:
    monkeypatch.setenv("CHANNEL", "the Slack channel C1")
    opened()

    with pytest.raises(chat.NoDecision, match="a button must send"):
        chat.handle(event, None)

    assert not waiting.heard


def test_the_token_of_the_waiting_state_is_shown_nowhere(waiting: Waiting) -> None:
    gate = opened()

    assert "the-token" not in repr(gate)
    assert "the-token" not in messages.letter(gate, link="")

"""What is found out about green before anybody depends on it?"""

import base64
import io
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from mlplatform_cdk.release.blue_green.runtime.evidence import Question, asking, captured_questions, replay, warm_up
from mlplatform_cdk.release.blue_green.runtime.evidence.agreement import agreements, stability
from mlplatform_cdk.release.blue_green.runtime.evidence.answers import UnreadableAnswer, values_of
from mlplatform_cdk.release.blue_green.runtime.evidence.asking import ask
from mlplatform_cdk.release.blue_green.runtime.evidence.captured import questions
from mlplatform_cdk.runtimekit import s3
from tests.release.evidence.conftest import Variants, fails, hangs, refuses

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
ASKED = [Question(body=str(number).encode()) for number in range(120)]


def doubles(body: bytes) -> bytes:
    return json.dumps(
        {"outputs": {"score": [[2.0 * int(body)]]}, "labels": ["yes" if int(body) % 2 else "no"]}
    ).encode()


def test_a_warm_up_asks_green_alone_by_its_name_and_several_requests_at_once(variants: Variants) -> None:
    variants.taught["b"] = doubles

    load = warm_up("churn", "b", ASKED[:3], requests=70, concurrency=4)

    assert (load.requests, load.failed, load.problems) == (70, 0, ())
    assert {name for name, _ in variants.asked} == {"b"}
    assert {body for _, body in variants.asked} == {b"0", b"1", b"2"}
    assert variants.most_at_once <= 4
    assert load.latency_p50_ms is not None
    assert load.latency_p99_ms is not None
    assert load.latency_p50_ms <= load.latency_p99_ms


@pytest.mark.parametrize(
    ("model", "problem"), [(fails, "it broke"), (refuses, "no such input"), (hangs, "Read timeout")]
)
def test_a_warm_up_says_why_green_did_not_answer(variants: Variants, model: Any, problem: str) -> None:
    variants.taught["b"] = model

    load = warm_up("churn", "b", ASKED[:1], requests=10)

    assert (load.requests, load.failed, load.latency_p50_ms) == (10, 10, None)
    assert len(load.problems) == 1
    assert problem in load.problems[0]


def test_the_question_is_one_that_the_service_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("sagemaker-runtime", region_name="eu-west-1")
    asked = {"EndpointName": "churn", "TargetVariant": "b", "ContentType": "text/csv", "Accept": "application/json"}
    monkeypatch.setattr(asking, "_client", lambda: client)
    with Stubber(client) as stubber:
        answer = {"Body": StreamingBody(io.BytesIO(b"[1]"), 3), "ContentType": "application/json"}
        stubber.add_response("invoke_endpoint", answer, {**asked, "Body": b"1,2", "InferenceId": ANY})
        found = ask("churn", "b", Question(body=b"1,2", content_type="text/csv"))

    assert (found.body, found.content_type, found.problem) == (b"[1]", "application/json", "")


def test_a_warm_up_of_no_requests_or_no_time_asks_nothing(variants: Variants) -> None:
    assert warm_up("churn", "b", ASKED, requests=0).requests == 0
    assert warm_up("churn", "b", [], requests=10).requests == 0
    assert warm_up("churn", "b", ASKED, requests=10, longest_s=0).requests == 0
    assert variants.asked == []


def test_a_refusal_is_told_from_a_failure(variants: Variants) -> None:
    variants.taught = {"a": fails, "b": refuses}

    assert not ask("churn", "a", ASKED[0]).is_refusal
    assert ask("churn", "b", ASKED[0]).is_refusal


def test_equal_models_agree_on_everything(variants: Variants) -> None:
    variants.taught = {"a": doubles, "b": doubles}

    found = replay("churn", "a", "b", ASKED)

    assert (found.requests, found.lost, found.problems, found.shifts) == (120, 0, (), ())
    assert {name: one.same for name, one in found.outputs.items()} == {"score": 1.0, "labels": 1.0}
    assert found.outputs["score"].largest_difference == 0
    assert json.loads(json.dumps(found.to_mapping()))["green"]["requests"] == 120


def test_what_blue_answers_and_green_does_not_is_a_lost_caller(variants: Variants) -> None:
    variants.taught = {"a": doubles, "b": lambda body: fails(body) if body.endswith(b"7") else doubles(body)}

    found = replay("churn", "a", "b", ASKED)

    assert found.lost == 12
    assert found.problems == ("green must answer what blue answers, and did not in 12 of 120: it broke",)


def test_what_neither_answers_is_nobodys_fault(variants: Variants) -> None:
    variants.taught = {"a": refuses, "b": refuses}

    assert replay("churn", "a", "b", ASKED[:10]).problems == ()


def test_an_answer_that_cannot_be_read_is_lost_too(variants: Variants) -> None:
    variants.taught = {"a": doubles, "b": lambda _: b"<html>"}

    assert replay("churn", "a", "b", ASKED[:10]).lost == 10


def test_moved_answers_are_told_and_are_no_problem_by_themselves(variants: Variants) -> None:
    variants.taught = {"a": doubles, "b": lambda body: doubles(str(int(body) + 60).encode())}

    found = replay("churn", "a", "b", ASKED)

    assert found.problems == ()
    assert len(found.shifts) == 1
    assert found.shifts[0].startswith("score: green agrees with blue on 0% of the requests")


def test_few_answers_of_equal_models_have_not_moved() -> None:
    chance = random.Random(5)
    moved = 0
    for _ in range(200):
        pairs = [({"score": [chance.gauss(0, 1)]}, {"score": [chance.gauss(0, 1)]}) for _ in range(40)]
        moved += agreements(pairs)["score"].has_moved

    assert moved <= 4


def test_the_index_is_the_textbooks() -> None:
    shift, bins = stability(["a"] * 50 + ["b"] * 50, ["a"] * 80 + ["b"] * 20)

    assert bins == 2
    assert shift == pytest.approx(0.3 * 0.4700036 - 0.3 * -0.9162907, abs=1e-6)  # 0.3 ln(0.8/0.5) - 0.3 ln(0.2/0.5)


def test_values_that_never_vary_or_are_no_numbers_do_not_break_the_comparison() -> None:
    assert stability([1.0] * 20, [1.0] * 20) == (0.0, 1)
    assert stability([], []) == (0.0, 1)
    assert stability([float(number) for number in range(100)], [float("nan")] * 100)[0] > 1
    assert agreements([({"a": [1.0]}, {"b": [1.0]})])["a"].same == 0
    assert agreements([({"a": [1.0, 2.0]}, {"a": [1.0]})])["a"].same == 0


@pytest.mark.parametrize(
    ("body", "kind", "values"),
    [
        (b'{"outputs": {"p": [[0.5, 1]], "ok": true}}', "application/json", {"p": [0.5, 1.0], "ok": ["True"]}),
        (b"[1, [2, null]]", "application/json; charset=utf-8", {"answer": [1.0, 2.0, "None"]}),
        (b"1.5,yes\n2,no\n", "text/csv", {"answer": [1.5, "yes", 2.0, "no"]}),
    ],
)
def test_answers_of_every_format_come_apart_into_values(body: bytes, kind: str, values: dict[str, Any]) -> None:
    assert values_of(body, kind) == values


def test_a_format_that_is_not_read_is_compared_as_a_whole() -> None:
    assert values_of(b"\0", "image/png") == values_of(b"\0", "image/png") != values_of(b"\1", "image/png")


def test_a_broken_answer_is_named() -> None:
    with pytest.raises(UnreadableAnswer, match="the answer must be application/json"):
        values_of(b"<html>", "application/json")


def line(data: str, *, encoding: str = "JSON", kind: str = "application/json", **event: str) -> str:
    asked = {"observedContentType": kind, "mode": "INPUT", "data": data, "encoding": encoding}
    return json.dumps({"captureData": {"endpointInput": asked}, "eventMetadata": event, "eventVersion": "0"})


def test_captured_requests_are_sent_as_they_came() -> None:
    raw = base64.b64encode(b"\0\1").decode()
    content = "\n".join(
        [
            line('{"inputs": {}}'),
            line("1,2", encoding="CSV", kind="text/csv"),
            line(raw, encoding="BASE64", kind="image/png"),
            "{}",
            "not JSON",
            line("*", encoding="BASE64"),
        ]
    )

    assert [*questions(content.encode())] == [
        Question(body=b'{"inputs": {}}'),
        Question(body=b"1,2", content_type="text/csv"),
        Question(body=b"\0\1", content_type="image/png"),
    ]


def test_what_the_platform_asked_by_itself_is_no_request_of_production(variants: Variants) -> None:
    variants.taught["b"] = doubles
    warm_up("churn", "b", ASKED[:1], requests=3)
    (own, *others) = variants.ids

    content = "\n".join([line("1", inferenceId=own), line("2", inferenceId="a-caller's"), line("3")])

    assert [one.body for one in questions(content.encode())] == [b"2", b"3"]
    assert len({own, *others}) == 3


def test_the_newest_captured_requests_are_taken_first_and_no_more_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    root = "s3://bucket/capture/churn/a/2026/11/22"
    files = {
        f"{root}/10/x.jsonl": ["3"],
        f"{root}/09/old.jsonl": ["1"],
        f"{root}/09/new.jsonl": ["2", "2"],
        f"{root}/08/older.jsonl": ["0"],
    }
    ages = dict(zip(files, (0, 70, 20, 200), strict=True))

    def listing(prefix: str) -> list[s3.StoredObject]:
        found = sorted(uri for uri in files if uri.startswith(prefix))
        return [s3.StoredObject(s3.Location.parse(uri), 1, "", NOW - timedelta(minutes=ages[uri])) for uri in found]

    monkeypatch.setattr(s3, "listing", listing)
    monkeypatch.setattr(s3, "read_bytes", lambda uri: "\n".join(map(line, files[uri])).encode())

    found = captured_questions("s3://bucket/capture/", "churn", "a", most=4, now=NOW)

    assert [one.body for one in found] == [b"3", b"2", b"2", b"1"]
    assert captured_questions("s3://bucket/other", "churn", "a", most=4, now=NOW) == []

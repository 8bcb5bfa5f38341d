"""What must green stand besides its golden requests?"""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from mlplatform_cdk.release.blue_green.runtime import evidence, proofs
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseFailed
from mlplatform_cdk.release.blue_green.runtime.evidence.asking import Answer
from mlplatform_cdk.release.blue_green.runtime.evidence.replay import compare
from mlplatform_cdk.runtimekit.release_strategy import Strategy
from mlplatform_cdk.serving import DataCapture
from tests.release.conftest import Build

LOAD = evidence.Load(requests=50, failed=0, latency_p50_ms=12.0, latency_p99_ms=40.0, problems=())
MANIFEST: Any = SimpleNamespace(golden_requests=[SimpleNamespace(body=lambda: {"inputs": {}})], latency_budget_ms=25.0)
PLAN = {"green": {"variant": "b"}, "blue": {"variant": "a", "exists": True}}


def answers(*bodies: bytes | None) -> list[Answer]:
    return [
        Answer(latency_ms=1.0, body=body, content_type="application/json", problem="" if body else "it broke")
        for body in bodies
    ]


def stood(load: evidence.Load) -> proofs.Proof:
    return proofs.stood(load, rules_share=0.01, budget_ms=25.0)


def test_a_load_that_is_answered_is_a_proof_and_is_told() -> None:
    found = stood(LOAD)

    assert found.said == "50 more under load, half of them in 12.0 ms or less"
    assert found.metrics["load"]["latency_p99_ms"] == 40.0


def test_one_failure_of_many_may_be_the_networks_and_two_are_greens() -> None:
    assert stood(replace(LOAD, failed=1, problems=("reset",)))

    with pytest.raises(ReleaseFailed, match="failed 2 of 50 requests: it broke"):
        stood(replace(LOAD, failed=2, problems=("it broke",)))


def test_a_green_that_is_slow_under_load_out_of_all_proportion_fails() -> None:
    with pytest.raises(ReleaseFailed, match="half of the answers must take less than 750 ms, got 900 ms"):
        stood(replace(LOAD, latency_p50_ms=900.0))


def test_a_replay_that_loses_callers_fails() -> None:
    found = compare(answers(b"[1]", b"[1]"), answers(b"[1]", None))

    with pytest.raises(ReleaseFailed, match="did not in 1 of 2: it broke"):
        proofs.answered(found)


def test_a_replay_tells_the_agreement_and_other_answers_are_no_fault() -> None:
    found = proofs.answered(compare(answers(b"[1]", b"[2]"), answers(b"[1]", b"[5]")))

    assert found.said == "2 captured requests of production, on 50% of which it agrees with blue"


def test_without_captured_requests_that_is_what_is_told() -> None:
    assert proofs.answered(compare([], [])).said == "0 captured requests of production"


@pytest.mark.parametrize(
    ("strategy", "capture_uri", "asked"),
    [
        (Strategy.linear(), "s3://bucket/capture", ["load"]),
        (Strategy.linear(replay_requests=20), "s3://bucket/capture", ["load", "replay"]),
        (Strategy.linear(replay_requests=20), "", ["load"]),
        (Strategy.linear(warm_up_requests=0), "s3://bucket/capture", []),
    ],
)
def test_green_stands_what_the_strategy_asks_for(
    strategy: Strategy, capture_uri: str, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "warm_up", lambda *_, **__: LOAD)
    monkeypatch.setattr(evidence, "captured_questions", lambda *_, **__: [])
    monkeypatch.setattr(evidence, "replay", lambda *_: compare([], []))

    found = proofs.prove("churn", PLAN, MANIFEST, strategy=strategy, capture_uri=capture_uri)

    assert [name for one in found for name in one.metrics] == asked


def test_the_first_version_has_no_blue_to_compare_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "warm_up", lambda *_, **__: LOAD)
    plan = PLAN | {"blue": {"variant": "", "exists": False}}

    found = proofs.prove("churn", plan, MANIFEST, strategy=Strategy.linear(replay_requests=9), capture_uri="s3://b/c")

    assert [name for one in found for name in one.metrics] == ["load"]


@pytest.mark.parametrize(("requests", "reads"), [(0, False), (20, True)])
def test_only_a_release_that_replays_may_read_what_was_captured(build: Build, requests: int, reads: bool) -> None:  # noqa: FBT001
    built = build(strategy=Strategy.linear(replay_requests=requests), capture=DataCapture(percentage=10))
    policies = built.template.find_resources("AWS::IAM::ManagedPolicy").values()

    statements = [one for policy in policies for one in policy["Properties"]["PolicyDocument"]["Statement"]]
    reading = [one for one in statements if "s3:GetObject" in str(one["Action"])]
    assert reading
    assert any("capture/dev-churn/" in str(one["Resource"]) for one in reading) is reads

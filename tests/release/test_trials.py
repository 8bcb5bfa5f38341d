"""Is green, and green alone, asked every golden request, and is each wrong answer named?"""

import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

from mlplatform_cdk.release.blue_green.runtime import trials
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseFailed
from mlplatform_cdk.runtimekit import aws, own_requests
from tests.release.registered import ANSWER, DIGEST, ENDPOINT, MANIFEST_URI, account


class FakeRuntime:
    """The runtime of an endpoint, for what moto's canned answers cannot do."""

    def __init__(self, *answers: bytes, variant: str = "b") -> None:
        self.answers, self.variant = list(answers), variant
        self.asked: list[dict[str, Any]] = []
        self.exceptions = boto3.client("sagemaker-runtime").exceptions

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        body = self.answers[min(len(self.asked), len(self.answers)) - 1]

        class Body:
            def read(self) -> bytes:
                return body

        return {"Body": Body(), "InvokedProductionVariant": self.variant}


@pytest.fixture(autouse=True)
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with account(monkeypatch):
        yield


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def use(fake: FakeRuntime) -> FakeRuntime:
        real = aws.client
        monkeypatch.setattr(aws, "client", lambda name, **_: fake if name == "sagemaker-runtime" else real(name))
        return fake

    yield use
    monkeypatch.undo()


def test_green_is_asked_every_golden_request_whatever_its_weight(runtime: Any) -> None:
    fake = runtime(FakeRuntime(json.dumps(ANSWER).encode()))

    record = trials.try_green(ENDPOINT, "b", manifest_uri=MANIFEST_URI, manifest_sha256=DIGEST)

    assert record["requests"] == 2
    assert {one["TargetVariant"] for one in fake.asked} == {"b"}
    assert all(own_requests.is_own(one["InferenceId"]) for one in fake.asked)
    assert {one["Body"] for one in fake.asked} == {
        b'{"inputs": {"features": [[1]]}}',
        b'{"inputs": {"features": [[2]]}}',
    }


@pytest.mark.parametrize(
    ("fake", "problem"),
    [
        pytest.param({"answers": [b'{"outputs": {"label": [0]}}']}, "golden-2: label", id="a wrong answer"),
        pytest.param({"answers": [b'{"outputs": {"label": [1' + b"0" * 400 + b"]}}"]}, "golden-1", id="no float"),
        pytest.param({"answers": [b"<html>"]}, "golden-1: the answer must be JSON, got b'<html>'", id="no JSON"),
        pytest.param(
            {"answers": [json.dumps(ANSWER).encode()], "variant": "a"},
            "golden-1: variant b must answer, got an answer of a",
            id="another variant answers",
        ),
    ],
)
def test_a_green_that_answers_wrongly_fails_and_each_problem_is_named(
    runtime: Any, fake: dict[str, Any], problem: str
) -> None:
    runtime(FakeRuntime(*fake.pop("answers"), **fake))

    with pytest.raises(ReleaseFailed) as failure:
        trials.try_green(ENDPOINT, "b", manifest_uri=MANIFEST_URI, manifest_sha256=DIGEST)

    assert problem in str(failure.value)


def test_a_green_that_hangs_fails_before_the_step_has_no_time_to_say_so(
    runtime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = runtime(FakeRuntime(json.dumps(ANSWER).encode()))
    moments = iter([0.0, 119.0, 121.0])
    clock = SimpleNamespace(monotonic=lambda: next(moments), perf_counter=time.perf_counter)
    monkeypatch.setattr(trials, "time", clock)

    with pytest.raises(ReleaseFailed, match="must answer its 2 golden requests in 120 s, and answered 1"):
        trials.try_green(ENDPOINT, "b", manifest_uri=MANIFEST_URI, manifest_sha256=DIGEST)

    def hang(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://runtime")

    monkeypatch.undo()
    monkeypatch.setattr(fake, "invoke_endpoint", hang)
    runtime(fake)
    with pytest.raises(ReleaseFailed, match="golden-1: green must answer, got no answer in 65 s"):
        trials.try_green(ENDPOINT, "b", manifest_uri=MANIFEST_URI, manifest_sha256=DIGEST)


def test_a_manifest_that_was_changed_after_registration_is_refused() -> None:
    with pytest.raises(ReleaseFailed, match="must be the one that was registered"):
        trials.try_green(ENDPOINT, "b", manifest_uri=MANIFEST_URI, manifest_sha256="f" * 64)

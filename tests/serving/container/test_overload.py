"""What happens to requests that come faster than they can be computed, or too late?"""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from mlplatform_cdk.serving.container.load import Load
from mlplatform_cdk.serving.container.messages import Answer
from mlplatform_cdk.serving.container.service import Service
from tests.serving.container.standins import Array, Engine, Model, body, outputs, request, serve
from tests.serving.container.test_batching import asked, begun


def test_beyond_a_full_queue_every_request_is_refused_at_once_and_told_when_to_try_again() -> None:
    engine = Engine()

    async def scene(service: Service) -> tuple[list[Answer], list[Answer]]:
        engine.gate.clear()
        first = await asked(service, body([0, 0]))
        await begun(engine)
        waiting = await asked(service, *[body([1, 0])] * 3)
        refused = await asyncio.gather(*await asked(service, *[body([2, 0])] * 2))
        engine.gate.set()
        return await asyncio.gather(*first, *waiting), refused

    answered, refused = serve(scene, Model(engine), lanes=1, queue_limit=3)

    assert [one.status for one in answered] == [200] * 4
    assert [(one.status, one.headers) for one in refused] == [(429, (("Retry-After", "1"),))] * 2
    assert json.loads(refused[0].body)["error"].startswith("the queue must let the request begin within ")
    assert sum(engine.sizes) == 4


def test_a_request_that_would_wait_past_its_deadline_is_refused_at_once_though_the_queue_has_room() -> None:
    engine = Engine()

    async def scene(service: Service) -> list[Answer]:
        engine.gate.clear()
        tasks = await asked(service, body([0, 0]))
        await begun(engine)
        # Each takes 0.35 s: one that waits and half of the one under way, 0.53 s, are more than 0.75 s - 0.35 s.
        tasks += await asked(service, *[body([1, 0])] * 3)
        await asyncio.sleep(0)
        engine.gate.set()
        return await asyncio.gather(*tasks)

    statuses = [one.status for one in serve(scene, Model(engine, run_seconds=0.35, most=1), lanes=1)]

    assert statuses == [200, 200, 429, 429]


def test_a_lone_request_is_answered_even_by_a_model_slower_than_its_budget() -> None:
    async def scene(service: Service) -> Answer:
        return await service.ask(request())

    assert serve(scene, Model(run_seconds=60.0)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"x_request_deadline_ms": "20"},
        {"x_amzn_sagemaker_custom_attributes": "caller=web;deadline-ms=20"},
        {"x_amzn_sagemaker_custom_attributes": "X-Request-Deadline-Ms=20"},
    ],
)
@pytest.mark.parametrize("run_seconds", [0.0, 0.001], ids=["on the event loop", "in a lane"])
def test_a_request_whose_deadline_passes_in_the_queue_never_reaches_the_model(
    headers: dict[str, str], run_seconds: float
) -> None:
    engine = Engine()

    async def scene(service: Service) -> tuple[Answer, Answer]:
        late = request(body([1, 0]), **headers)
        late.arrived -= 0.021
        return await asyncio.gather(service.ask(late), service.ask(request(body([2, 0]))))

    late, other = serve(scene, Model(engine, run_seconds=run_seconds), lanes=1)

    assert late.status == 504
    assert json.loads(late.body)["error"].startswith("the model must begin with the request within ")
    assert (outputs(other), engine.sizes) == ([[4, 0]], [1])


@pytest.mark.parametrize("text", ["soon", "0", "-5", "nan", "inf", "1e9", ""])
def test_a_deadline_that_is_no_number_of_milliseconds_is_refused(text: str) -> None:
    async def scene(service: Service) -> Answer:
        return await service.ask(request(x_request_deadline_ms=text))

    answer = serve(scene, Model())

    assert answer.status == 400
    assert json.loads(answer.body)["error"].startswith("the deadline must be a number of milliseconds ")


def test_custom_attributes_without_a_deadline_change_nothing() -> None:
    async def scene(service: Service) -> Answer:
        return await service.ask(request(x_amzn_sagemaker_custom_attributes="no-deadline-ms=x, a=1"))

    assert serve(scene, Model()).status == 200


@pytest.mark.parametrize(("deadline_ms", "expected"), [(None, 0.75), (200.0, 0.2)])
def test_the_deadline_is_a_share_of_the_latency_budget_unless_it_is_set(
    deadline_ms: float | None, expected: float
) -> None:
    async def scene(service: Service) -> Any:
        predictor = service._single
        assert predictor is not None
        return predictor.load.patience(predictor._allowed)

    assert serve(scene, Model(run_seconds=0.0), deadline_ms=deadline_ms) == pytest.approx(expected)


def test_the_time_to_wait_is_what_lies_before_a_request_shared_by_the_lanes() -> None:
    load = Load(0.01, lanes=2)

    assert load.wait(10) == pytest.approx((10 / 2 + 0.5) * 0.01)
    assert load.patience(0.1) == pytest.approx(0.09)
    assert load.patience(0.01) == pytest.approx(0.005)


def test_what_large_bodies_take_in_the_lanes_does_not_count_against_small_ones() -> None:
    class Slow(Engine):
        def run(self, inputs: Mapping[str, Array]) -> list[Array]:
            time.sleep(0.5 if len(inputs["x"]) > 100 else 0)
            return super().run(inputs)

    async def scene(service: Service) -> list[Answer]:
        for _ in range(2):
            assert (await service.ask(request(body(*[[1, 2]] * 10_000)))).status == 200
        return await asyncio.gather(*await asked(service, *[body([1, 0])] * 100))

    answers = serve(scene, Model(Slow(), run_seconds=0.0001), deadline_ms=50.0)

    assert [one.status for one in answers] == [200] * 100


def test_the_averages_follow_the_batches() -> None:
    load = Load(0.01, lanes=1)
    for _ in range(100):
        load.learn(0.04, requests=8)

    assert load.batch_seconds == pytest.approx(0.04, rel=0.01)
    assert load.request_seconds == pytest.approx(0.005, rel=0.01)

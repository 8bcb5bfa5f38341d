"""What happens to requests that come faster than they can be computed, or too late?"""

import asyncio
import json
import threading
import time
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import pytest

from mlplatform_cdk.serving.container.cache import ResponseCache
from mlplatform_cdk.serving.container.errors import TooManyRequests
from mlplatform_cdk.serving.container.lanes import Lanes
from mlplatform_cdk.serving.container.load import Load, remaining
from mlplatform_cdk.serving.container.messages import Answer
from mlplatform_cdk.serving.container.metrics import Metrics
from mlplatform_cdk.serving.container.pace import Pace, RowCount
from mlplatform_cdk.serving.container.predictor import Predictor
from mlplatform_cdk.serving.container.service import Service
from mlplatform_cdk.serving.container.settings import Settings
from tests.serving.container.standins import Array, Engine, Model, body, eventually, outputs, request, serve
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
    assert json.loads(refused[0].body)["error"].startswith("the answer must be possible within 900 ms, got 3 requests ")
    assert sum(engine.sizes) == 4


def test_a_request_that_would_wait_past_its_deadline_is_refused_at_once_though_the_queue_has_room() -> None:
    engine = Engine()

    async def scene(service: Service) -> list[Answer]:
        engine.gate.clear()
        tasks = await asked(service, body([0, 0]))
        await begun(engine)
        # Each takes 0.2 s: the one under way, one that waits and the request itself fit into 5/6 of 0.9 s, another not.
        tasks += await asked(service, *[body([1, 0])] * 4)
        await asyncio.sleep(0)
        engine.gate.set()
        return await asyncio.gather(*tasks)

    statuses = [one.status for one in serve(scene, Model(engine, run_seconds=0.2, most=1), lanes=1)]

    assert statuses == [200, 200, 200, 429, 429]


def test_what_waits_for_other_models_counts_as_far_as_it_comes_first() -> None:
    async def scene() -> tuple[list[int], float, float]:
        lanes, settings = Lanes(1), Settings(deadline_ms=1000)
        busy, quiet, third = (Model(Engine(), run_seconds=0.1, most=1) for _ in range(3))
        for model in (busy, quiet, third):
            model.engine.gate.clear()
        predictors = [Predictor(model, settings, lanes, Metrics()) for model in (busy, quiet, third)]  # type: ignore[arg-type]
        statuses: list[int] = []
        for number in range(20):
            predictor = predictors[1 if number > 13 else 0]
            try:
                predictor.ask(request(), lambda _: None)
                statuses.append(200)
            except TooManyRequests:
                statuses.append(429)
            if not number:
                await begun(busy.engine)
        waiting = lanes.others(predictors[2], 2, 3, 0.0, 0.0), lanes.others(predictors[2], 100, 3, 0.0, 0.0)
        for predictor in predictors:
            predictor.close()
        assert lanes.among(predictors[2]) == 1
        for model in (busy, quiet):
            model.engine.gate.set()
        return statuses, *waiting

    statuses, two_turns, all_turns = asyncio.run(scene())

    # Alone, a model may let seven wait for one lane; the second one takes turns with them, and may let about half as
    # many wait.
    busy, quiet = statuses[:14].count(200), statuses[14:].count(200)
    assert 6 <= busy <= 8
    assert 2 <= quiet <= 4
    assert two_turns == pytest.approx(4 * 0.1)
    assert all_turns == pytest.approx((busy - 1 + quiet) * 0.1)


class Waiting:
    """A model with batches that wait; computes once it is ``ready``, and tells in ``order`` that it had its turn."""

    turn, ready = 0, threading.Event()

    def __init__(self, name: str, batches: int, order: list[str]) -> None:
        self.name, self.batches, self.order = name, batches, order

    @property
    def waits(self) -> bool:
        return self.batches > 0

    def seconds_of(self, turns: int, among: int) -> float:
        return min(turns, self.batches) / among

    def work(self) -> bool:
        assert self.ready.wait(10)
        waited = self.waits
        self.order += [self.name] * waited
        self.batches -= waited
        return waited


def test_models_take_turns_at_the_lanes_however_many_requests_each_has() -> None:
    order: list[str] = []
    lanes = Lanes(1)
    works = [Waiting("a", 5, order), Waiting("b", 2, order), Waiting("c", 1, order)]
    for work in works:
        lanes.join(work)
    for work in works:
        for _ in range(work.batches):
            lanes.offer(work)
    Waiting.ready.set()
    eventually(lambda: len(order) == 8)

    assert "".join(order) == "abcabaaa"


def test_others_are_taken_to_go_on_as_they_did_lately_a_batch_for_each_turn_at_most() -> None:
    lanes, order = Lanes(2), list[str]()
    own, other, gone = (Waiting(name, 0, order) for name in ("own", "other", "gone"))
    for work in (own, other, gone):
        lanes.join(work)
    now = 1000.0
    for _ in range(200):
        now += 0.02
        lanes.took(own, 0.03, now)
        lanes.took(other, 0.01, now)  # half a lane
    lanes.leave(gone)
    lanes.took(gone, 0.5, now)

    assert lanes.others(own, 1000, 1, 3.0, now) == pytest.approx(
        1.0, rel=0.05
    )  # of 4 s, in which both lanes are at work
    assert lanes.others(own, 10, 1, 3.0, now) == pytest.approx(10 * 0.01)
    assert lanes.others(own, 1000, 1, 3.0, now + 5) == pytest.approx(0.0, abs=0.001)
    for _ in range(200):
        now += 0.01
        lanes.took(other, 0.02, now)  # both lanes
    assert lanes.others(own, 1000, 1, 3.0, now) == pytest.approx(9.0, rel=0.05)  # not all of them for ever


def test_who_comes_to_a_free_lane_does_not_wait_for_what_others_may_ask() -> None:
    async def scene() -> list[float]:
        lanes, settings = Lanes(2), Settings(deadline_ms=450)
        models = [Model(Engine(), run_seconds=0.15, most=1) for _ in range(2)]
        asked, other = (Predictor(model, settings, lanes, Metrics()) for model in models)  # type: ignore[arg-type]
        for _ in range(100):
            lanes.took(other, 0.15, perf_counter())
        models[0].engine.gate.clear()
        answers: list[Answer] = []
        for _ in range(2):
            asked.ask(request(), answers.append)
        models[0].engine.gate.set()
        await asyncio.to_thread(eventually, lambda: len(answers) == 2)
        return [lanes.others(asked, 1, 1, own, perf_counter()) for own in (0.0, 1.0)]

    nothing, batch = asyncio.run(scene())

    assert nothing == 0
    assert batch == pytest.approx(0.15)


def test_what_a_model_computes_alone_counts_for_the_others() -> None:
    async def scene() -> tuple[int, float]:
        lanes, settings = Lanes(1), Settings(deadline_ms=1000)
        models = [Model(Engine(), run_seconds=0.1, most=1) for _ in range(2)]
        alone, other = (Predictor(model, settings, lanes, Metrics()) for model in models)  # type: ignore[arg-type]
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        models[0].engine.gate.clear()
        alone.ask(request(), answer.set_result)
        await asyncio.sleep(0.02)
        models[0].engine.gate.set()
        status = (await answer).status
        return status, lanes.others(other, 1, 1, 100.0, perf_counter())

    status, seconds = asyncio.run(scene())

    assert status == 200
    assert seconds > 0


def test_a_request_that_came_before_what_others_had_last_is_weighed_as_if_it_came_now() -> None:
    lanes, order = Lanes(2), list[str]()
    own, other = (Waiting(name, 0, order) for name in ("own", "other"))
    for work in (own, other):
        lanes.join(work)
    lanes.took(other, 0.01, 1000.0)

    assert lanes.others(own, 100, 1, 1.0, 1.0) == lanes.others(own, 100, 1, 1.0, 1000.0)


def test_models_that_nobody_asks_lately_are_not_looked_at() -> None:
    class Unasked(Waiting):
        @property
        def waits(self) -> bool:
            assert self.batches, "nobody asked"
            return True

    lanes, order = Lanes(1), list[str]()
    asked, other, unasked = Waiting("asked", 2, order), Waiting("other", 1, order), Unasked("unasked", 0, order)
    for work in (asked, other, unasked):
        lanes.join(work)
    for work in (asked, other, asked):
        lanes.offer(work)
    Waiting.ready.set()
    eventually(lambda: len(order) == 3)
    now = 1000.0
    lanes.took(other, 0.01, now)
    other.batches = unasked.batches = 1

    assert lanes.among(asked) == 2
    assert lanes.others(asked, 1, 2, 0.01, now) == 0.5
    other.batches = 0
    assert lanes.others(asked, 1, 2, 0.01, now) == pytest.approx(0.01 * 0.02 / 0.98)
    assert lanes.others(asked, 1, 2, 0.01, now + 10) == 0
    other.batches = 1
    assert lanes.among(asked) == 1  # it was not asked since


def test_a_lane_goes_on_after_what_nobody_thought_of() -> None:
    order: list[str] = []

    class Odd(Waiting):
        def work(self) -> bool:
            raise ZeroDivisionError

    lanes = Lanes(1)
    lanes.offer(Odd("odd", 1, order))
    lanes.offer(Waiting("good", 1, order))
    Waiting.ready.set()

    eventually(lambda: order == ["good"])


def test_a_request_of_many_rows_counts_as_many() -> None:
    engine = Engine()

    async def scene(service: Service) -> list[Answer]:
        engine.gate.clear()
        tasks = await asked(service, body([0, 0]))
        await begun(engine)
        tasks += await asked(service, body(*[[1.0, 0.0]] * 100))  # a hundred rows, 10 ms each
        tasks += await asked(service, body([2, 0]))
        await asyncio.sleep(0)
        engine.gate.set()
        return await asyncio.gather(*tasks)

    pace = Pace(seconds=0.01, full_seconds=0.64, full_rows=64, bytes_per_row=10)
    answers = serve(scene, Model(engine, pace=pace), lanes=1)

    assert [one.status for one in answers] == [200, 429, 200]
    assert answers[1].headers == (("Retry-After", "1"),)


def test_retry_after_tells_when_there_will_be_room() -> None:
    engine = Engine()

    async def scene(service: Service) -> list[Answer]:
        engine.gate.clear()
        tasks = await asked(service, body([0, 0]))
        await begun(engine)
        tasks += await asked(service, body([1, 0]))
        await asyncio.sleep(0)
        engine.gate.set()
        return await asyncio.gather(*tasks)

    answers = serve(scene, Model(engine, run_seconds=8.0, most=1), lanes=1)

    # Half of the deadline of 0.9 s is how long anybody waits for a model that is slower than that.
    assert [(one.status, one.headers) for one in answers] == [(200, ()), (429, (("Retry-After", "8"),))]


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


_LONG = pytest.param("1" * 30_000 + "x", id="that takes long to look through")


@pytest.mark.parametrize("text", ["soon", "0", "-5", "nan", "inf", "1e9", "", "1_000", "+5", "\u0665", _LONG])
def test_a_deadline_that_is_no_number_of_milliseconds_is_refused(text: str) -> None:
    async def scene(service: Service) -> Answer:
        return await service.ask(request(x_request_deadline_ms=text))

    answer = serve(scene, Model())

    assert answer.status == 400
    assert json.loads(answer.body)["error"].startswith("the deadline must be a number of milliseconds, more than 0 ")


def test_a_kept_answer_is_not_given_for_a_deadline_that_is_none() -> None:
    async def scene() -> list[Answer]:
        settings = Settings(cache_bytes=100_000)
        service = Service(settings, Metrics(), ResponseCache(settings))
        service.serve(Model())
        asked = [request(), request(x_request_deadline_ms="50"), request(x_request_deadline_ms="soon")]
        return [await service.ask(one) for one in asked]

    answers = asyncio.run(scene())

    assert [(one.status, ("X-Cache", "hit") in one.headers) for one in answers] == [
        (200, False),
        (200, True),
        (400, False),
    ]


def test_custom_attributes_without_a_deadline_change_nothing() -> None:
    async def scene(service: Service) -> Answer:
        return await service.ask(request(x_amzn_sagemaker_custom_attributes="no-deadline-ms=x, a=1"))

    assert serve(scene, Model()).status == 200


@pytest.mark.parametrize(("deadline_ms", "expected"), [(None, 0.9), (200.0, 0.2)])
def test_the_deadline_is_a_share_of_the_latency_budget_unless_it_is_set(
    deadline_ms: float | None, expected: float
) -> None:
    async def scene(service: Service) -> Any:
        predictor = service._single
        assert predictor is not None
        return predictor._waiting.load.patience(1, predictor.allowed)

    assert serve(scene, Model(run_seconds=0.0), deadline_ms=deadline_ms) == pytest.approx(expected, rel=0.001)


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


def load(base: float = 0.01, each: float = 0.001, lanes: int = 2) -> Load:
    pace = Pace(seconds=base + each, full_seconds=base + 64 * each, full_rows=64)
    return Load(pace, lanes=lanes, most_rows=64, deadline=1.0)


def test_the_time_to_wait_is_what_lies_before_a_request_shared_by_the_lanes() -> None:
    # A full batch takes 0.074 s; those with whom a request is computed are not before it.
    assert load().wait(1, ahead=63, remaining=0.05) == pytest.approx(0.05 / 2)
    assert load().wait(1, ahead=127, remaining=0.05) == pytest.approx((0.05 + 0.074) / 2)


def test_the_level_follows_the_batches_and_keeps_the_shape() -> None:
    learnt = load()
    for _ in range(100):
        learnt.learn(4 * 0.018, rows=8)

    assert learnt.seconds(8) == pytest.approx(4 * 0.018, rel=0.01)
    assert learnt.seconds(64) == pytest.approx(4 * 0.074, rel=0.01)


def test_a_batch_has_the_rows_that_fit_into_the_time_left_but_is_not_cut_where_that_costs_more_than_it_gives() -> None:
    assert load().rows_within(10.0) == 64
    assert 20 <= load().rows_within(0.05) <= 35
    assert load().rows_within(0.0) == 10  # as long as the ten rows take, the batch by itself takes, too


def test_rows_are_guessed_from_the_sizes_of_bodies_by_their_format() -> None:
    count = RowCount(10.0)
    assert [count.of("a/json", size) for size in (1, 10, 14, 100)] == [1, 1, 1, 10]
    for _ in range(100):
        count.learn("a/json", 4000, 100)

    assert [count.of("a/json", size) for size in (30, 50, 4000)] == [1, 1, 100]
    assert count.of("text/csv", 100) == 10
    assert count.of("image/png", 10**6) == 1


def test_lanes_tell_what_is_left_of_what_they_have_begun_and_more_of_what_is_overdue() -> None:
    assert remaining([10.0, 12.0], 9.0) == pytest.approx(1 + 3)
    assert remaining([10.0], 14.0) == pytest.approx(2)

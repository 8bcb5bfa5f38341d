"""Which requests are computed together, where, and what happens to the neighbours of one that fails?"""

import asyncio
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.serving.container import batch
from mlplatform_cdk.serving.container.batch import Job
from mlplatform_cdk.serving.container.hooks import Hooks
from mlplatform_cdk.serving.container.load import Load
from mlplatform_cdk.serving.container.messages import Answer
from mlplatform_cdk.serving.container.pace import Pace
from mlplatform_cdk.serving.container.queue import Queue
from mlplatform_cdk.serving.container.service import Service
from tests.serving.container.standins import BODY, JSON, Array, Engine, Model, body, eventually, outputs, request, serve

NO_CHEAPER, FREE = Pace(seconds=0.01), Pace(seconds=0.01, full_seconds=0.01, full_rows=64)  # rows of a batch
HALF_OF_TWO = Pace(seconds=0.003, full_seconds=0.066, full_rows=64)  # rows is a batch's own time


async def begun(engine: Engine) -> None:
    """Wait until the engine has begun another run."""
    assert await asyncio.to_thread(engine.begun.acquire, timeout=10)


async def asked(service: Service, *contents: bytes) -> list["asyncio.Task[Answer]"]:
    """Ask all at once, and let the service take them in."""
    tasks = [asyncio.create_task(service.ask(request(content))) for content in contents]
    await asyncio.sleep(0)
    return tasks


def test_what_waits_when_a_lane_becomes_free_is_one_batch_and_each_gets_its_own_rows() -> None:
    engine = Engine()

    async def scene(service: Service) -> list[Answer]:
        engine.gate.clear()
        first = await asked(service, body([0, 0]))
        await begun(engine)
        others = await asked(service, body([1, 0], [1, 1]), *(body([number, 0]) for number in (2, 3, 4)))
        engine.gate.set()
        return await asyncio.gather(*first, *others)

    answers = serve(scene, Model(engine), lanes=1)

    assert engine.sizes == [1, 5]
    assert [outputs(one)[0][0] for one in answers] == [0, 2, 4, 6, 8]
    assert outputs(answers[1]) == [[2, 0], [2, 2]]


def test_a_batch_has_no_more_rows_than_the_model_allows_but_for_a_request_that_has_more_by_itself() -> None:
    engine = Engine()

    async def scene(service: Service) -> None:
        engine.gate.clear()
        first = await asked(service, body([0, 0]))
        await begun(engine)
        others = await asked(service, *[body([1, 0])] * 5, body(*[[2, 0]] * 7))
        engine.gate.set()
        await asyncio.gather(*first, *others)

    serve(scene, Model(engine, most=3), lanes=1)

    assert engine.sizes == [1, 3, 2, 7]


def test_requests_of_different_shapes_are_computed_apart() -> None:
    engine = Engine()

    async def scene(service: Service) -> list[Answer]:
        engine.gate.clear()
        first = await asked(service, body([0, 0]))
        await begun(engine)
        others = await asked(service, body([1, 1]), body([2]), body([3, 3]), body([4]))
        engine.gate.set()
        return await asyncio.gather(*first, *others)

    answers = serve(scene, Model(engine, width="width"), lanes=1)

    assert engine.sizes == [1, 1, 1, 1, 1]
    assert [outputs(one) for one in answers[1:]] == [[[2, 2]], [[4]], [[6, 6]], [[8]]]


@pytest.mark.parametrize("run_seconds", [0.0, 0.01], ids=["on the event loop", "in a lane"])
def test_a_model_whose_answers_depend_on_their_neighbours_computes_each_request_alone(run_seconds: float) -> None:
    engine = Engine()

    async def scene(service: Service) -> list[Answer]:
        return await asyncio.gather(*await asked(service, *(body([number, 0]) for number in range(10))))

    answers = serve(scene, Model(engine, most=1, run_seconds=run_seconds), lanes=2)

    assert engine.sizes == [1] * 10
    assert [outputs(one) for one in answers] == [[[2 * number, 0]] for number in range(10)]


@pytest.mark.parametrize("run_seconds", [0.0, 0.01], ids=["on the event loop", "in a lane"])
def test_one_request_that_breaks_the_model_fails_alone(run_seconds: float, capsys: pytest.CaptureFixture[str]) -> None:
    engine = Engine(poison=666)

    async def scene(service: Service) -> list[Answer]:
        if run_seconds:
            engine.gate.clear()
            await asked(service, body([0, 0]))
            await begun(engine)
        tasks = await asked(service, body([1, 0]), body([666, 0]), b"{", body([3, 0]))
        engine.gate.set()
        return await asyncio.gather(*tasks)

    answers = serve(scene, Model(engine, run_seconds=run_seconds), lanes=1)

    assert [one.status for one in answers] == [200, 500, 400, 200]
    assert (outputs(answers[0]), outputs(answers[3])) == ([[2, 0]], [[6, 0]])
    assert engine.sizes[-4:] == [3, 1, 1, 1]
    sentence = json.loads(answers[1].body)["error"]
    assert sentence.startswith("the model failed on this request; the log has the reason under the request id ")


def test_a_small_model_runs_on_the_event_loop_on_what_one_turn_has_gathered() -> None:
    engine = Engine()

    async def scene(service: Service) -> list[Answer]:
        return await asyncio.gather(*await asked(service, *(body([number, 0]) for number in range(70))))

    answers = serve(scene, Model(engine, run_seconds=0.0001))

    assert engine.sizes == [64, 6]
    assert engine.threads == {threading.main_thread().name}
    assert [outputs(one) for one in answers] == [[[2 * number, 0]] for number in range(70)]


@pytest.mark.parametrize(
    "run_seconds", [pytest.param(0.0001, id="on the event loop"), pytest.param(0.01, id="in a lane")]
)
@pytest.mark.parametrize("others", [0, 3])
def test_a_number_too_large_for_its_type_is_refused_alone_and_in_a_batch(run_seconds: float, others: int) -> None:
    async def scene(service: Service) -> list[Answer]:
        return await asyncio.gather(*await asked(service, body([1e39, 0]), *[body([1, 0])] * others))

    answers = serve(scene, Model(run_seconds=run_seconds), lanes=1)

    assert [one.status for one in answers] == [400, *[200] * others]
    assert b"must hold numbers that fit float32, got 1e+39" in answers[0].body


def test_a_large_body_for_a_small_model_leaves_the_event_loop_free() -> None:
    engine = Engine()

    async def scene(service: Service) -> Answer:
        return await service.ask(request(body(*[[1, 2]] * 10_000)))

    assert len(outputs(serve(scene, Model(engine, run_seconds=0.0)))) == 10_000
    assert engine.threads == {"lane-1"}


def test_a_heavy_model_runs_in_as_many_lanes_as_there_are() -> None:
    engine = Engine()

    async def scene(service: Service) -> None:
        engine.gate.clear()
        tasks = await asked(service, *[body([1, 0])] * 3)
        for _ in range(3):
            await begun(engine)
        engine.gate.set()
        await asyncio.gather(*tasks)

    serve(scene, Model(engine), lanes=3)

    assert engine.sizes == [1, 1, 1]
    assert engine.threads == {"lane-1", "lane-2", "lane-3"}


def test_a_request_of_several_rows_is_computed_alone_as_it_is_in_company() -> None:
    engine = Engine()

    async def scene(service: Service) -> None:
        await service.ask(request(body([1, 0], [1, 1])))

    serve(scene, Model(engine), lanes=2)

    assert (engine.sizes, engine.alone) == ([2], 0)


def test_nobody_waits_for_a_fuller_batch_until_it_is_too_late() -> None:
    async def scene(service: Service) -> set[int]:
        return {(await service.ask(request(x_request_deadline_ms="20"))).status for _ in range(10)}

    # On a busy machine, some are late of themselves.
    assert 200 in serve(scene, Model(run_seconds=0.0), lanes=1, max_batch_delay_ms=30.0)


def test_only_a_request_that_is_alone_gets_all_cores() -> None:
    engine = Engine()

    async def scene(service: Service) -> None:
        await service.ask(request())
        await begun(engine)
        assert engine.alone == 1
        lanes = service._lanes
        assert lanes is not None
        await asyncio.to_thread(eventually, lambda: not lanes.computing)
        engine.gate.clear()
        tasks = await asked(service, body([1, 0]))
        await begun(engine)
        tasks += await asked(service, body([2, 0]))
        await begun(engine)
        engine.gate.set()
        await asyncio.gather(*tasks)

    serve(scene, Model(engine), lanes=2)

    assert engine.alone == 2


def test_requests_that_come_together_get_a_lane_each() -> None:
    engine = Engine()

    async def scene(service: Service) -> None:
        for _ in range(50):
            await asyncio.gather(*await asked(service, body([1, 0]), body([2, 0])))

    serve(scene, Model(engine, pace=NO_CHEAPER), lanes=2)

    assert engine.sizes == [1] * 100


@pytest.mark.parametrize(
    ("pace", "delay_ms", "device", "batches"),
    [
        pytest.param(NO_CHEAPER, 0.0, "", [4, 2, 1, 1], id="the other lane may be free before all are computed"),
        pytest.param(FREE, 0.0, "", [8], id="more rows cost nothing"),
        pytest.param(NO_CHEAPER, 1.0, "", [8], id="they were gathered for a batch"),
        pytest.param(NO_CHEAPER, 0.0, "cuda", [8], id="one device computes for all lanes"),
    ],
)
def test_a_free_lane_takes_its_share_of_what_waits(
    pace: Pace, delay_ms: float, device: str, batches: list[int]
) -> None:
    engine = Engine()
    engine.name = device or engine.name

    async def scene(service: Service) -> None:
        engine.gate.clear()
        tasks = await asked(service, body([0, 0]))
        await begun(engine)
        tasks += await asked(service, body([0, 0]))
        await begun(engine)
        tasks += await asked(service, *[body([1, 0])] * 8)
        engine.gate.set()
        await asyncio.gather(*tasks)

    serve(scene, Model(engine, pace=pace), lanes=2, max_batch_delay_ms=delay_ms)

    assert sorted(engine.sizes) == sorted([1, 1, *batches])


def eight_wait(pace: Pace) -> Queue:
    queue = Queue(Load(pace, lanes=4, most_rows=64, deadline=9.0), 64, limit=64, sharers=4)
    for _ in range(8):
        queue.put(Job(request(BODY), lambda _: None, JSON, due=9.0))
    return queue


@pytest.mark.parametrize(("models", "rows"), [(1, 2), (2, 4), (3, 8), (5, 8)])
def test_models_that_wait_divide_the_lanes(models: int, rows: int) -> None:
    assert eight_wait(NO_CHEAPER).take(0.0, models)[2] == rows


@pytest.mark.parametrize(("pace", "free", "rows"), [(HALF_OF_TWO, 1, 8), (HALF_OF_TWO, 3, 3), (FREE, 3, 8)])
def test_batches_that_gain_by_more_rows_are_divided_among_lanes_with_nothing_to_do(
    pace: Pace, free: int, rows: int
) -> None:
    assert eight_wait(pace).take(0.0, free=free)[2] == rows


def test_a_batch_is_no_larger_than_what_makes_its_rows_faster() -> None:
    engine = Engine()

    async def scene(service: Service) -> None:
        engine.gate.clear()
        first = await asked(service, body([0, 0]))
        await begun(engine)
        others = await asked(service, *[body([1, 0])] * 5)
        engine.gate.set()
        await asyncio.gather(*first, *others)

    serve(scene, Model(engine, pace=Pace(seconds=0.01, useful_rows=2)), lanes=1)

    assert engine.sizes == [1, 2, 2, 1]


def test_a_delay_lets_a_batch_grow_until_it_is_full_or_the_oldest_has_waited_enough() -> None:
    engine = Engine()

    async def scene(service: Service) -> None:
        tasks = await asked(service, body([1, 0]))
        await asyncio.sleep(0.002)
        tasks += await asked(service, body([2, 0]))
        await asyncio.gather(*tasks)

    serve(scene, Model(engine, run_seconds=0.0), lanes=1, max_batch_delay_ms=30.0)

    assert engine.sizes == [2]


def test_a_model_does_not_wait_until_another_one_has_nothing_left_to_do() -> None:
    first, runs_before = Engine(), []

    class Second(Engine):
        def run(self, inputs: Mapping[str, Array]) -> list[Array]:
            runs_before.append(len(first.runs))
            return super().run(inputs)

    async def scene(service: Service) -> None:
        one, other = Model(first, most=1), Model(Second())
        service.serve(one)  # type: ignore[arg-type]
        first.gate.clear()
        tasks = await asked(service, body([1, 0]), body([2, 0]))
        await begun(first)
        service.serve(other)  # type: ignore[arg-type]
        tasks += await asked(service, body([3, 0]))
        service.serve(one)  # type: ignore[arg-type]
        tasks += await asked(service, *[body([4, 0])] * 5)
        first.gate.set()
        await asyncio.gather(*tasks)

    serve(scene, lanes=1)

    assert len(first.runs) == 7
    assert runs_before == [2]


def test_an_answer_hands_back_what_tells_its_request_apart() -> None:
    async def scene(service: Service) -> Any:
        told = {"x-amzn-trace-id": "Root=1-5e-1", "x-amzn-sagemaker-custom-attributes": "a=b"}
        plain, traced = request(), request()
        traced.headers = {**traced.headers, **told}
        return (await service.ask(plain)).headers, dict((await service.ask(traced)).headers)

    plain, traced = serve(scene, Model())

    assert plain == ()
    assert traced == {"X-Amzn-Trace-Id": "Root=1-5e-1", "X-Amzn-SageMaker-Custom-Attributes": "a=b"}


def test_a_hook_may_take_the_custom_attributes_back(tmp_path: Path) -> None:
    (tmp_path / "hooks.py").write_text("def preprocess(inputs, context):\n context.attributes = ''\n return inputs")
    model = Model()
    model.hooks = Hooks.load(tmp_path, model.manifest)

    async def scene(service: Service) -> dict[str, str]:
        asked = request(x_amzn_sagemaker_custom_attributes="a=b", x_amzn_sagemaker_inference_id="7")
        return dict((await service.ask(asked)).headers)

    assert serve(scene, model) == {"X-Amzn-SageMaker-Inference-Id": "7"}


def test_what_fails_a_whole_batch_leaves_nobody_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def short_of_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(batch, "_groups", short_of_memory)

    async def scene(service: Service) -> list[int]:
        tasks = await asked(service, body([1, 0]), b"{", body([3, 0]))
        return [one.status for one in await asyncio.gather(*tasks)]

    assert serve(scene, Model(run_seconds=0.0)) == [500, 400, 500]


def test_a_lane_that_has_nothing_to_do_sleeps() -> None:
    engine = Engine()

    async def scene(service: Service) -> int:
        for _ in range(50):
            await service.ask(request())
        lanes = service._lanes
        assert lanes is not None
        await asyncio.to_thread(eventually, lambda: len(lanes._idle) == lanes._started)
        return len(engine.runs)

    assert serve(scene, Model(engine), lanes=2) == 50

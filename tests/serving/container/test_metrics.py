"""Can an operator see what the container does?"""

import asyncio
import re
from dataclasses import replace
from typing import Any

from mlplatform_cdk.serving.container.errors import NotFound
from mlplatform_cdk.serving.container.messages import Answer, Request
from mlplatform_cdk.serving.container.metrics import SECONDS, STAGES, Histogram, Metrics
from mlplatform_cdk.serving.container.models_api import invoked
from mlplatform_cdk.serving.container.service import Service
from mlplatform_cdk.serving.container.store import Entry
from tests.serving.container.standins import Hosted, Model, body, post, request, serve


def samples(text: str) -> dict[str, float]:
    """Prometheus' text format, as far as it is used here: a name with its labels, and a number."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r'[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+', line) for line in lines)
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_metrics_tell_stages_batches_and_answers_by_status() -> None:
    async def scene(service: Service) -> str:
        await asyncio.gather(*(service.ask(request(content)) for content in (body([1, 2]), body([3, 4]), b"{")))
        scrape = request()
        scrape.method, scrape.path = "GET", "/metrics"
        answer = await service.ask(scrape)
        assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
        return answer.body.decode()

    found = samples(serve(scene, Model(run_seconds=0.0)))

    assert found['mlplatform_serving_requests_total{status="200"}'] == 2
    assert found['mlplatform_serving_requests_total{status="400"}'] == 1
    for stage in STAGES:
        assert found[f'mlplatform_serving_stage_seconds_count{{stage="{stage}"}}'] == 3
        assert found[f'mlplatform_serving_stage_seconds_bucket{{stage="{stage}",le="+Inf"}}'] == 3
    assert found["mlplatform_serving_batch_requests_count"] == 1
    assert found["mlplatform_serving_batch_requests_sum"] == 3
    assert found["mlplatform_serving_under_way"] == found["mlplatform_serving_waiting"] == 0
    info = 'mlplatform_serving_model_info{model="stand-in",run_id="run-1",engine="stand-in",precision="fp32"}'
    assert found[info] == found["mlplatform_serving_models"] == 1


def test_what_was_no_request_is_counted_too() -> None:
    with Hosted(Model()) as hosted:
        hosted.exchange(b"nonsense\r\n\r\n")
        text = hosted.exchange(b"GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n").partition(b"\r\n\r\n")[2]
        hosted.exchange(post(close=True))

    assert samples(text.decode())['mlplatform_serving_requests_total{status="400"}'] == 1


def test_a_value_falls_into_the_bucket_that_its_bound_includes() -> None:
    cells = memoryview(bytearray(8 * (len(SECONDS) + 2))).cast("d")
    histogram = Histogram(cells, SECONDS)

    for value, times in ((0.0, 1), (SECONDS[0], 1), (SECONDS[1], 2), (1e9, 1)):
        histogram.add(value, times)

    assert [cells[0], cells[1], cells[len(SECONDS)]] == [2, 2, 1]
    assert cells[len(SECONDS) + 1] == SECONDS[0] + 2 * SECONDS[1] + 1e9


def test_any_of_several_processes_tells_what_all_of_them_have_counted() -> None:
    metrics = Metrics(3)
    for process in range(3):
        metrics.attach(process)
        metrics.count(200, process + 1)
        metrics.infer.add(0.5)

    totals: Any = metrics.totals()

    assert totals["statuses"][0] == 6
    assert totals["infer"][-1] == 1.5


def test_a_status_that_is_not_listed_counts_as_other() -> None:
    metrics = Metrics()
    metrics.count(418)

    assert samples(metrics.render([]).decode())['mlplatform_serving_requests_total{status="other"}'] == 1


def test_prometheus_gets_the_buckets_that_double_with_everything_below_them() -> None:
    metrics = Metrics()
    for value in SECONDS:
        metrics.infer.add(value)

    found = samples(metrics.render([]).decode())
    name = 'mlplatform_serving_stage_seconds_bucket{stage="infer",le="'
    bounds = [one.removeprefix(name).removesuffix('"}') for one in found if one.startswith(name)]

    assert bounds == [f"{1e-5 * 2**power:g}" for power in range(21)] + ["+Inf"]
    assert (found[name + '1e-05"}'], found[name + '2e-05"}'], found[name + '+Inf"}']) == (1, 9, len(SECONDS))


def test_pings_scrapes_and_unknown_paths_are_counted_beside_the_predictions() -> None:
    async def scene(service: Service) -> str:
        for path in ("/ping", "/none", "/metrics"):
            await service.ask(asked("GET", path))
        await service.ask(request())
        service.drain()
        assert (await service.ask(asked("GET", "/ping"))).status == 503
        return (await service.ask(asked("GET", "/metrics"))).body.decode()

    found = samples(serve(scene, Model(run_seconds=0.0)))

    predictions, others = "mlplatform_serving_requests_total", "mlplatform_serving_other_requests_total"
    assert {name for name, value in found.items() if name.startswith(predictions) and value} == {
        f'{predictions}{{status="200"}}'
    }
    assert found[f'{predictions}{{status="200"}}'] == 1
    assert [found[f'{others}{{status="{status}"}}'] for status in (200, 404, 503)] == [2, 1, 1]


def test_each_of_many_models_is_counted_until_it_goes_and_in_the_whole_after_that() -> None:
    async def scene(service: Service) -> tuple[dict[str, float], dict[str, float]]:
        models = {"a": named("a"), "b": named("b"), "again": named("b")}
        service.serve_many(Many(models))
        for name in ("a", "b", "again", "none"):
            await service.ask(asked("POST", f"/models/{name}/invoke"))
        await service.ask(asked("GET", "/models/a/invoke"))
        await service.ask(asked("POST", "/models"))
        before = (await service.ask(asked("GET", "/metrics"))).body.decode()
        for model in models.values():
            service.forget(model)  # type: ignore[arg-type]
        return samples(before), samples((await service.ask(asked("GET", "/metrics"))).body.decode())

    before, after = serve(scene)

    one = 'mlplatform_serving_model_requests_total{model="%s",run_id="run-1",engine="stand-in",precision="fp32",%s}'
    counted = {name: value for name, value in before.items() if name.startswith("mlplatform_serving_model_requests")}
    assert counted == {
        one % ("a", 'status="200"'): 1,
        one % ("a", 'status="405"'): 1,
        one % ("b", 'status="200"'): 2,
    }
    stage = 'mlplatform_serving_model_stage_seconds_count{model="b",run_id="run-1",engine="stand-in",precision="fp32",'
    assert before[stage + 'stage="infer"}'] == 2
    assert not [name for name in after if name.startswith(("mlplatform_serving_model_r", "mlplatform_serving_model_s"))]
    for found in (before, after):
        told = [found[f'mlplatform_serving_requests_total{{status="{status}"}}'] for status in (200, 404, 405)]
        assert told == [3, 1, 1]
        assert found['mlplatform_serving_stage_seconds_count{stage="infer"}'] == 3


def asked(method: str, path: str) -> Request:
    one = request()
    one.method, one.path = method, path
    return one


def named(name: str) -> Model:
    model = Model(run_seconds=0.0)
    model.manifest = replace(model.manifest, model_name=name)
    return model


class Many:
    """Models that are loaded, by name."""

    def __init__(self, models: dict[str, Model]) -> None:
        self._models = models

    def hold(self, path: str) -> Any:
        name = invoked(path)
        if name is None:
            return None
        if name not in self._models:
            raise NotFound("the model must be loaded")
        return Entry(name, "", self._models[name])

    async def answer(self, _request: Request) -> Answer:
        return Answer(200)

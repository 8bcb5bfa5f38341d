"""Can an operator see what the container does?"""

import asyncio
import re
from typing import Any

from mlplatform_cdk.serving.container.metrics import SECONDS, STAGES, Histogram, Metrics
from mlplatform_cdk.serving.container.service import Service
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

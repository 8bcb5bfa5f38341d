"""Which setting wins?"""

from typing import Any

from mlplatform_cdk.serving.tune.trials import Compute, Served, best_compute, best_served


def compute(rows_per_second: float, **changes: Any) -> Compute:
    plain: dict[str, Any] = {
        "engine": "onnxruntime",
        "precision": "fp32",
        "lanes": 2,
        "threads": 1,
        "batch": 1,
        "milliseconds": 1.0,
    }
    return Compute(**{**plain, "rows_per_second": rows_per_second, **changes})


def served(changed: str, requests_per_second: float, p99_ms: float = 10.0) -> Served:
    return Served(
        changed=changed,
        max_batch_size=8,
        max_batch_delay_ms=0.0,
        processes=1,
        requests_per_second=requests_per_second,
        p50_ms=1.0,
        p99_ms=p99_ms,
    )


def test_the_most_rows_a_second_win() -> None:
    trials = [compute(100), compute(300, batch=8), compute(250, engine="openvino")]

    assert best_compute(trials, 100) is trials[1]


def test_of_equal_ones_the_smaller_batch_and_the_simpler_setting_win() -> None:
    trials = [compute(100, batch=4), compute(101, batch=8), compute(102, batch=4, engine="openvino")]

    assert best_compute(trials, 100) is trials[0]


def test_a_batch_that_takes_more_than_half_the_budget_is_out_unless_all_do() -> None:
    trials = [compute(100, milliseconds=60.0), compute(300, batch=8, milliseconds=90.0)]

    assert best_compute([*trials, compute(10, milliseconds=40.0)], 100).rows_per_second == 10
    assert best_compute(trials, 100) is trials[0]


def test_the_plain_container_stays_unless_another_is_clearly_faster_within_the_budget() -> None:
    plain = served("", 1000)

    assert best_served([plain, served("a delay", 1020)], 100) is plain
    assert best_served([plain, served("2 processes", 1500)], 100).changed == "2 processes"
    assert best_served([plain, served("2 processes", 1500, p99_ms=101)], 100) is plain

"""Are the statistics those of the values?"""

import statistics
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlplatform_cdk.local.adapters.cloudwatch.statistics import Summary, UnknownStatistic

HUNDRED = Summary([(float(value), 1.0) for value in range(1, 101)])


@pytest.mark.parametrize(
    ("statistic", "value"),
    [
        ("SampleCount", 100),
        ("Sum", 5050),
        ("Average", 50.5),
        ("Minimum", 1),
        ("Maximum", 100),
        ("p50", 50),
        ("p99", 99),
        ("p99.9", 100),
        ("p100", 100),
        ("p0", 1),
        ("PR(:25)", 25),
        ("PR(10:25)", 15),
        ("PR(90:)", 10),
        ("TC(:25)", 25),
        ("tc(98:)", 2),
    ],
)
def test_a_statistic_is_what_cloudwatch_says_it_is(statistic: str, value: float) -> None:
    assert HUNDRED.of(statistic) == pytest.approx(value)


def test_a_value_that_was_measured_often_counts_often() -> None:
    summary = Summary([(10.0, 98.0), (500.0, 2.0)])

    assert [summary.of(one) for one in ("SampleCount", "p98", "p99", "PR(:10)")] == [100, 10, 500, 98]


def test_a_period_without_data_has_no_statistic() -> None:
    assert Summary([]).of("p99") is None
    assert Summary([]).of("Sum") is None


def test_statistic_sets_have_sums_and_no_percentiles() -> None:
    summary = Summary([(1.0, 1.0)], [(9.0, 99.0, 2.0, 50.0)])

    assert [summary.of(one) for one in ("SampleCount", "Sum", "Average", "Minimum", "Maximum")] == [10, 100, 10, 1, 50]
    assert summary.of("p99") is None
    assert summary.of("PR(:5)") is None


@pytest.mark.parametrize("statistic", ["tm90", "IQM", "WM(10%:90%)", "TC(10%:90%)", "p101", "Median", ""])
@pytest.mark.parametrize("summary", [HUNDRED, Summary([])])
def test_a_statistic_that_is_not_computed_is_named(statistic: str, summary: Summary) -> None:
    with pytest.raises(UnknownStatistic, match="the embedded AWS does not compute the statistic"):
        summary.of(statistic)


@pytest.mark.parametrize(
    ("statistic", "truth"), [("Sum", sum), ("Average", statistics.fmean), ("Minimum", min), ("Maximum", max)]
)
@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_whatever_the_values(statistic: str, truth: Callable[[list[float]], float], values: list[float]) -> None:
    assert Summary([(value, 1.0) for value in values]).of(statistic) == pytest.approx(truth(values), abs=1e-6)


@given(values=st.lists(st.integers(0, 50), min_size=1, max_size=50), share=st.integers(1, 99))
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(values: list[int], share: int) -> None:
    found = Summary([(float(value), 1.0) for value in values]).of(f"p{share}")

    assert found is not None
    assert sum(value <= found for value in values) >= share / 100 * len(values) - 1e-9
    assert sum(value < found for value in values) < share / 100 * len(values) + 1e-9

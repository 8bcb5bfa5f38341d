"""How fast is a region, by what is known of it?"""

import pytest

from mlplatform_cdk.runtimekit.client.latency import Latency


def observed(*answers: tuple[float, float]) -> Latency:
    one = Latency()
    for now, seconds in answers:
        one.observe(now, seconds)
    return one


def test_the_average_remembers_ten_seconds() -> None:
    one = observed((0, 1.0), (10, 0.0))

    assert one.estimate(10) == pytest.approx(0.3679, abs=1e-4)
    assert observed((0, 1.0), (0, 9.0)).estimate(0) == 1.0
    assert observed((0, 1.0), (1000, 9.0)).estimate(1000) == pytest.approx(9.0)


def test_what_is_not_observed_again_halves_every_five_minutes() -> None:
    one = observed((0, 1.0))

    assert [one.estimate(now) for now in (0, 300, 600)] == [1.0, 0.5, 0.25]
    assert Latency().estimate(0) == 0


def test_that_there_was_no_answer_yet_says_something_only_where_answers_are_faster() -> None:
    one = observed((0, 1.0))

    one.at_least(10, 0.5)
    assert one.estimate(10) == pytest.approx(1.0, abs=0.05)
    one.at_least(10, 5.0)
    assert one.estimate(10) == pytest.approx(3.53, abs=0.01)


def test_a_quantile_is_of_the_last_256_answers_and_needs_20() -> None:
    one = observed(*((0, float(second)) for second in range(1, 20)))
    assert one.quantile(0.95) is None

    one.observe(0, 20.0)
    assert (one.quantile(0.95), one.quantile(0.5)) == (19.0, 10.0)
    for _ in range(256):
        one.observe(0, 7.0)
    assert (one.quantile(0.95), one.quantile(0.5)) == (7.0, 7.0)

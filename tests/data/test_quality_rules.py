"""Which data may a model learn from?"""

import re
from dataclasses import replace

import pytest

from mlplatform_cdk.data.dataset import Dataset
from mlplatform_cdk.data.quality.runtime.checks import Rules, problems, stability_index
from mlplatform_cdk.data.quality.runtime.profile import Profile, Profiler
from mlplatform_cdk.runtimekit.dataset import DatasetError
from mlplatform_cdk.runtimekit.rows import Row

RULES = Rules.from_json(Dataset(prefix="raw/churn/", label_column="left", minimum_rows=10).to_json())


def profile_of(ages: list[str], labels: list[str], name: str = "age") -> Profile:
    profiler = Profiler()
    for age, label in zip(ages, labels, strict=True):
        profiler.add(Row((name,), (age,), label))
    return profiler.profile("v1")


def ages(shift: float = 0, scale: float = 1) -> list[str]:
    return [str(shift + scale * (index % 10)) for index in range(100)]


LABELS = ["yes", "no"] * 50
REFERENCE = profile_of(ages(), LABELS)


def test_data_like_the_last_registered_runs_passes() -> None:
    assert problems(profile_of(ages(), LABELS), REFERENCE, RULES) == []


def test_the_first_run_has_nothing_to_drift_from() -> None:
    assert problems(profile_of(ages(shift=1000), LABELS), None, RULES) == []


@pytest.mark.parametrize(
    ("profile", "problem"),
    [
        pytest.param(profile_of(["1"] * 4, LABELS[:4]), "at least 10 rows, got 4", id="too few rows"),
        pytest.param(profile_of(ages(), ["yes"] * 100), "at least two classes, got 'yes'", id="one class"),
        pytest.param(
            profile_of([*ages()[:80], *[""] * 20], LABELS), "'age' must miss at most 10.0% .* got 20.0%", id="gaps"
        ),
        pytest.param(profile_of(ages(shift=9), LABELS), "mean of the column 'age' .* got 13.5", id="a shifted mean"),
        pytest.param(profile_of(ages(scale=3, shift=-9), LABELS), "variance of the column 'age'", id="a wider spread"),
        pytest.param(profile_of(ages(), ["yes"] * 90 + ["no"] * 10), "'left' must be spread as", id="other labels"),
        pytest.param(profile_of(["5"] * 100, LABELS), "variance of the column 'age'", id="a column stuck at one value"),
    ],
)
def test_data_unlike_the_last_registered_runs_is_refused_with_the_reason(profile: Profile, problem: str) -> None:
    found = problems(profile, REFERENCE, RULES)

    assert any(re.search(problem, sentence) for sentence in found), found


def test_a_column_that_the_last_registered_run_had_may_not_vanish_or_be_renamed() -> None:
    assert problems(profile_of(ages(), LABELS, name="years"), REFERENCE, RULES) == [
        "the data must have the columns age, as the last registered run had, got none of that name",
        "the data must have no other columns than its features, as the last registered run had, got years",
    ]


def test_declared_features_count_from_the_first_run_on() -> None:
    found = problems(REFERENCE, None, replace(RULES, features=("age", "tenure")))

    assert found == ["the data must have the columns tenure, as the data set declares, got none of that name"]


def test_data_that_arrived_twice_is_too_much() -> None:
    found = problems(REFERENCE, None, replace(RULES, maximum_rows=50))

    assert found == ["the data must have at most 50 rows, got 100; did a file arrive twice?"]


def test_mean_and_variance_stay_exact_beside_a_large_offset() -> None:
    column = profile_of([str(1e9 + value) for value in (4, 7, 13, 16)], ["a", "b"] * 2).columns["age"]

    assert (column.mean, column.variance) == (1e9 + 10, 22.5)


def test_the_stability_index_is_the_textbooks() -> None:
    assert stability_index({"a": 50, "b": 50}, {"a": 50, "b": 50}) == 0
    # (0.6 - 0.5) ln(0.6 / 0.5) + (0.4 - 0.5) ln(0.4 / 0.5)
    assert stability_index({"a": 60, "b": 40}, {"a": 50, "b": 50}) == pytest.approx(0.0405465, abs=1e-6)


def test_a_profile_survives_storage() -> None:
    assert Profile.from_json(REFERENCE.to_json()) == REFERENCE


def test_a_foreign_reference_profile_is_told_apart() -> None:
    with pytest.raises(DatasetError, match="the reference profile must be one that a run wrote"):
        Profile.from_json({"rows": 3})

"""May this data be learned from? Pure: a profile, the last registered run's profile, the rules; out come problems."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mlplatform_cdk.data.quality.runtime.profile import Column, Profile
from mlplatform_cdk.runtimekit.rows import few

_NO_SHARE = 0.0001  # what the stability index takes for a class without rows, so that its logarithm exists


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The bounds that the construct's ``Dataset`` names; it documents them."""

    label_column: str
    features: tuple[str, ...] | None
    minimum_rows: int
    maximum_rows: int | None
    maximum_missing_share: float
    maximum_mean_shift: float
    maximum_variance_ratio: float
    maximum_label_shift: float

    @classmethod
    def from_json(cls, text: str) -> "Rules":
        """The rules that ``Dataset.to_json`` gave."""
        value = json.loads(text)
        features = value.pop("features")
        return cls(features=tuple(features) if features is not None else None, **value)


def problems(profile: Profile, reference: Profile | None, rules: Rules) -> list[str]:
    """What is wrong with the data, one sentence each; none when it may be learned from.

    :param profile: the data that has arrived.
    :param reference: the data of the last registered run; None before there is one.
    :param rules: the bounds.
    """
    schema = [*_schema(profile, reference, rules)]
    found = [*schema, *_volume(profile, rules), *_missing(profile, rules)]
    if reference is not None and not schema:
        found += [*_drift(profile, reference, rules), *_label_drift(profile, reference, rules)]
    return found


def _schema(profile: Profile, reference: Profile | None, rules: Rules) -> Iterator[str]:
    expected = set(rules.features or (reference.columns if reference else profile.columns))
    said = "as the data set declares" if rules.features else "as the last registered run had"
    came = set(profile.columns)
    if expected - came:
        yield f"the data must have the columns {few(sorted(expected - came))}, {said}, got none of that name"
    if came - expected:
        yield f"the data must have no other columns than its features, {said}, got {few(sorted(came - expected))}"


def _volume(profile: Profile, rules: Rules) -> Iterator[str]:
    if profile.rows < rules.minimum_rows:
        yield f"the data must have at least {rules.minimum_rows} rows, got {profile.rows}"
    if rules.maximum_rows is not None and profile.rows > rules.maximum_rows:
        yield f"the data must have at most {rules.maximum_rows} rows, got {profile.rows}; did a file arrive twice?"
    if len(profile.labels) == 1:
        only = next(iter(profile.labels))
        yield f"the label {rules.label_column!r} must have at least two classes, got {only!r} in every row"


def _missing(profile: Profile, rules: Rules) -> Iterator[str]:
    for name, column in profile.columns.items():
        share = column.missing / profile.rows
        if share > rules.maximum_missing_share:
            most = f"{rules.maximum_missing_share:.1%}"
            yield f"the column {name!r} must miss at most {most} of its values, got {share:.1%}"


def _drift(profile: Profile, reference: Profile, rules: Rules) -> Iterator[str]:
    for name, column in profile.columns.items():
        was = reference.columns[name]
        shift = mean_shift(column, was)
        if shift > rules.maximum_mean_shift:
            yield (
                f"the mean of the column {name!r} must be within {rules.maximum_mean_shift:g} standard deviations of "
                f"the last registered run's {was.mean:g}, got {column.mean:g} ({shift:.2g} away)"
            )
        ratio = variance_ratio(column, was)
        if ratio > rules.maximum_variance_ratio:
            yield (
                f"the variance of the column {name!r} must be within a factor of {rules.maximum_variance_ratio:g} of "
                f"the last registered run's {was.variance:g}, got {column.variance:g}"
            )


def _label_drift(profile: Profile, reference: Profile, rules: Rules) -> Iterator[str]:
    shift = stability_index(profile.labels, reference.labels)
    if shift > rules.maximum_label_shift:
        yield (
            f"the label {rules.label_column!r} must be spread as in the last registered run, with a stability index of "
            f"at most {rules.maximum_label_shift:g}, got {shift:.2g}"
        )


def mean_shift(now: Column, was: Column) -> float:
    """The standardized mean difference: how many pooled standard deviations the means are apart (Cohen's d)."""
    difference = abs(now.mean - was.mean)
    if math.isclose(now.mean, was.mean, rel_tol=1e-9, abs_tol=1e-12):
        return 0.0
    pooled = math.sqrt((now.variance + was.variance) / 2)
    return difference / pooled if pooled > 0 else math.inf


def variance_ratio(now: Column, was: Column) -> float:
    """The greater variance over the smaller; 1 when both are zero, infinite when one is."""
    smaller, greater = sorted((now.variance, was.variance))
    if math.isclose(smaller, greater, rel_tol=1e-9, abs_tol=1e-12):
        return 1.0
    return greater / smaller if smaller > 0 else math.inf


def stability_index(now: Mapping[str, int], was: Mapping[str, int]) -> float:
    """The population stability index of two distributions over classes; 0 when they are the same."""
    rows_now, rows_was = sum(now.values()), sum(was.values())
    index = 0.0
    for name in {*now, *was}:
        share = max(now.get(name, 0) / rows_now, _NO_SHARE)
        share_was = max(was.get(name, 0) / rows_was, _NO_SHARE)
        index += (share - share_was) * math.log(share / share_was)
    return index

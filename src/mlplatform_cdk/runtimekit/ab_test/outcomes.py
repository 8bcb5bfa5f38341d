"""Joins a request's variant with its outcome by the request's id, counts every sample once, and keeps no caller's key.

A sample is a key (its first outcome of a metric counts; the key is stored as a hash) or, by the plan, a request.
What is counted and the mark that it was counted are one transaction: a repeated or retried call counts nothing twice.
"""

import hashlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mlplatform_cdk.runtimekit.ab_test import items, tallies
from mlplatform_cdk.runtimekit.ab_test.plan import BINARY, MEASURED, REQUEST, TestPlan
from mlplatform_cdk.runtimekit.ab_test.state import TestState
from mlplatform_cdk.runtimekit.errors import KnownError

_REQUEST, _UNIT = "request", "unit"
_OUTCOME, _COUNTED = "o_", "c_"


class OutcomeRefused(KnownError):
    """An outcome that belongs to no request, or is no outcome of the test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """A request that a variant answered, or failed to.

    :param request_id: tells it from every other.
    :param key: who asked.
    :param variant: which was asked.
    :param measured: what was seen of it: ``failed``, ``latency_ms``.
    """

    request_id: str
    key: str
    variant: str
    measured: Mapping[str, float] = field(default_factory=dict)


def record_request(table: str, state: TestState, exposure: Exposure) -> bool:
    """Remember which variant a request had; False when this request id was recorded before.

    :param table: the test's table.
    :param state: the test as it stands.
    :param exposure: the request.
    """
    unit = unit_of(state, exposure)
    now, kept = time.time(), state.plan.keep_requests.total_seconds()
    # A key that was forgotten while its test runs would be another sample when it comes back.
    expires, forgotten = int(now + kept), int(now + kept + state.plan.duration.total_seconds())
    request = {
        items.PARTITION: f"{_REQUEST}#{exposure.request_id}",
        items.SORT: _REQUEST,
        "test": state.name,
        "run": state.run,
        "variant": exposure.variant,
        "unit": unit,
        items.EXPIRY: expires,
    }
    by_request = state.plan.unit == REQUEST
    if not by_request and items.get(table, *_unit_key(state.run, unit), consistent=False) is not None:
        return items.put_if_new(table, request)
    try:
        items.write_all([items.put_new(table, request), *_first_of(table, state, unit, exposure, forgotten)])
    except items.Refused as refused:
        # Either this request was recorded before, or another request of its key was the first, at the same moment.
        return False if refused.failed[0] else items.put_if_new(table, request)
    return True


def record_outcomes(table: str, state: TestState, request_id: str, values: Mapping[str, float]) -> dict[str, bool]:
    """Give a request its outcomes; by metric, whether the value counts in the test.

    A value does not count when this request had one before (the first stays), when the key had an outcome of this
    metric before, or when the key was first answered by another variant.

    :param table: the test's table.
    :param state: the test as it stands.
    :param request_id: of the request.
    :param values: metric to value.
    :raises OutcomeRefused: when the request is not known (any more), or a metric or value is not of the test.
    """
    exact = {name: _exact(state.plan, name, value) for name, value in values.items()}
    request = items.get(table, f"{_REQUEST}#{request_id}", _REQUEST)
    if request is None or request["run"] != state.run:
        raise OutcomeRefused(f"the request {request_id!r} must be one of this run of {state.name}, and is not known")
    return {name: _record_one(table, request, name, value) for name, value in exact.items()}


def unit_of(state: TestState, exposure: Exposure) -> str:
    """The sample that a request belongs to: a hash, so that no key is stored."""
    name = exposure.request_id if state.plan.unit == REQUEST else exposure.key
    return hashlib.sha256(f"{state.run}\x1f{name}".encode()).hexdigest()[:32]


def _first_of(table: str, state: TestState, unit: str, exposure: Exposure, expires: int) -> list[dict[str, Any]]:
    """A sample begins: it is remembered with its variant, and counted with what was measured."""
    wanted = {one.name for one in state.plan.metrics if one.name in MEASURED}
    measured = {name: _exact(state.plan, name, value) for name, value in exposure.measured.items() if name in wanted}
    partition, sort = _unit_key(state.run, unit)
    begun = {items.PARTITION: partition, items.SORT: sort, "variant": exposure.variant, items.EXPIRY: expires}
    part = tallies.PARTS[state.looks % len(tallies.PARTS)]
    counted = {tallies.EXPOSED: 1, part: 1, **tallies.amounts(measured)}
    return [
        items.put_new(table, begun | {f"{_COUNTED}{name}": exposure.request_id for name in measured}),
        items.add(table, tallies.partition_of(state.run, exposure.variant), tallies.shard_of(unit), counted),
    ]


def _record_one(table: str, request: Mapping[str, Any], name: str, value: Decimal) -> bool:
    key, run, unit = request[items.PARTITION], request["run"], request["unit"]
    known = items.get(table, *_unit_key(run, unit)) or {}
    remember = items.set_new(table, key, _REQUEST, {f"{_OUTCOME}{name}": value})
    counts = known.get("variant") == request["variant"] and f"{_COUNTED}{name}" not in known
    actions = [remember]
    if counts:
        actions += [
            items.set_new(table, *_unit_key(run, unit), {f"{_COUNTED}{name}": key}),
            items.add(
                table,
                tallies.partition_of(run, request["variant"]),
                tallies.shard_of(unit),
                tallies.amounts({name: value}),
            ),
        ]
    try:
        items.write_all(actions)
    except items.Refused as refused:
        if refused.failed[0]:
            return False
        # Another request of this key had its outcome counted at the same moment.
        return _record_one(table, request, name, value)
    return counts


def _exact(plan: TestPlan, name: str, value: float) -> Decimal:
    """``value`` as it is summed, if it is one of the plan's."""
    metric = next((one for one in plan.metrics if one.name == name), None)
    if metric is None:
        known = ", ".join(one.name for one in plan.metrics)
        raise OutcomeRefused(f"an outcome must be one of {known}, got {name!r}")
    if isinstance(value, bool) or (isinstance(value, int | float) and math.isfinite(value)):
        exact = Decimal(repr(float(value))).quantize(tallies.STEP) if abs(value) <= tallies.MOST else None
        if exact is not None and (metric.kind != BINARY or exact in {0, 1}):
            return exact
    range_ = "0 or 1" if metric.kind == BINARY else f"a number from -{tallies.MOST} to {tallies.MOST}"
    raise OutcomeRefused(f"{name} must be {range_}, got {value!r}")


def _unit_key(run: str, unit: str) -> tuple[str, str]:
    return f"{_UNIT}#{run}#{unit}", _UNIT

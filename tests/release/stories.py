"""Releases as their records tell them, for the tests of what people read."""

from datetime import UTC, datetime, timedelta
from typing import Any

from mlplatform_cdk.runtimekit.release_records import Record

ENDPOINT = "dev-churn"
RELEASE = "arn:aws:states:eu-west-1:123456789012:execution:Release:one"
VERSION = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/4"
BEGAN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def metrics(requests: int, p99: float, *, errors: float = 0.0002) -> dict[str, Any]:
    green = {
        "requests": requests,
        "failures": round(requests * errors),
        "error_share": errors,
        "latency_p50_ms": round(p99 / 2.6, 2),
        "latency_p99_ms": p99,
        "cpu_percent": 41.0,
        "gpu_percent": None,
    }
    blue = {**green, "requests": 60_000 - requests, "failures": 9, "error_share": 0.00015, "latency_p99_ms": 8.2}
    return {"green": green, "blue": blue, "evidence": {"errors": 0.2}}


def told(minutes: float, step: str, decision: str, **changes: Any) -> Record:
    plain: dict[str, Any] = {"endpoint": ENDPOINT, "release": RELEASE, "version": VERSION, "who": "the machine"}
    at = (BEGAN + timedelta(minutes=minutes)).isoformat(timespec="microseconds")
    return Record(**{**plain, "at": at, "step": step, "decision": decision, **changes})


def beginning() -> list[Record]:
    return [
        told(0, "Plan", "beside", who="alice", reason="churn--v3 serves now"),
        told(
            0.2, "Preflight", "passed", who="alice", reason="the archive and the image are those that were registered"
        ),
        told(6.5, "TestGreen", "passed", reason="20 golden requests, p50 3.1 ms, p99 4.0 ms of 25 ms"),
        told(7, "Shift", "shift to 5 percent", percent=5.0),
        *(told(7 + one, "Look", "look again", percent=5.0, metrics=metrics(3000 * one, 8.6)) for one in range(1, 10)),
        told(17, "Look", "go on", percent=5.0, metrics=metrics(30_100, 8.4)),
    ]


def rolled_back() -> list[Record]:
    slow = "the p99 of green's latency must be within 25 ms: 480 of 9021 took longer"
    return [
        *beginning(),
        told(17.2, "Shift", "shift to 20 percent", percent=20.0),
        *(told(17 + one, "Look", "look again", percent=20.0, metrics=metrics(9000, 9 + 6 * one)) for one in (1, 2, 3)),
        told(21, "Look", "go back", percent=20.0, reason=slow, metrics=metrics(9021, 41.5, errors=0.012)),
        told(
            22, "WayBack", "rejected, and brought back", reason=f"Look: {slow}; churn version 3 serves all", percent=0.0
        ),
    ]


def released(*, bake_hours: float = 24) -> list[Record]:
    records, minute = beginning(), 17.2
    for share in (20.0, 35.0, 50.0, 65.0, 80.0, 95.0, 100.0):
        records.append(told(minute, "Shift", f"shift to {share:g} percent", percent=share))
        if share == 50.0:
            records.append(told(minute + 1, "Gate", f"ask a person at {share:g} percent", percent=share))
            minute += 16
            said = "looks right to me, and the queue of the call centre is quiet"
            records.append(told(minute, "Gate", "approved", who="alice", reason=said, percent=share))
        for one in range(1, 6):
            known = metrics(round(600 * share), 8.3 + 0.1 * one)
            records.append(told(minute + 2 * one, "Look", "look again", percent=share, metrics=known))
        records.append(told(minute + 10, "Look", "go on", percent=share, metrics=metrics(round(600 * share), 8.4)))
        minute += 10.2
    for one in range(int(bake_hours * 4)):
        known = metrics(59_000, 8.3 + (one % 9) * 0.12)
        records.append(told(minute + 15 * one, "Bake", "look again", percent=100.0, metrics=known))
    last = minute + bake_hours * 60
    return [
        *records,
        told(last, "Finish", "finish, and keep blue without traffic", percent=100.0, metrics=metrics(60_000, 8.3)),
    ]

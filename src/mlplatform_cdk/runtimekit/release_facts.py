"""What is known of a release, in the words of people: for messages, pages, the terminal and the report. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

# Known metrics come first and in this order: name, what it is called, how a value is written.
_KNOWN = {
    "requests": ("requests", "{:,.0f}"),
    "failures": ("failed", "{:,.0f}"),
    "error_share": ("share of failures", "{:.3g} %"),
    "refusals": ("refused (4xx)", "{:,.0f}"),
    "latency_p50_ms": ("p50", "{:.3g} ms"),
    "latency_p99_ms": ("p99", "{:.3g} ms"),
    "cpu_percent": ("CPU", "{:.0f} %"),
    "memory_percent": ("memory", "{:.0f} %"),
    "gpu_percent": ("GPU", "{:.0f} %"),
    "gpu_memory_percent": ("GPU memory", "{:.0f} %"),
}
_NOTHING = "-"
_CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
_PARTS_OF_A_PACKAGE = 3
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_FEW_SECONDS = 10


def rows(metrics: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The metrics of green and blue side by side: what, green's, blue's.

    :param metrics: with the mappings ``green`` and ``blue``, of which either may be missing.
    """
    green, blue = (_side(metrics, name) for name in ("green", "blue"))
    names = {name for side in (green, blue) for name, value in side.items() if value is not None}
    ordered = [*(name for name in _KNOWN if name in names), *sorted(name for name in names if name not in _KNOWN)]
    return [(_called(name), written(name, green.get(name)), written(name, blue.get(name))) for name in ordered]


def table(metrics: Mapping[str, Any]) -> str:
    """``rows`` as text in columns; empty where nothing was measured."""
    cells = [("", "green", "blue"), *rows(metrics)]
    if len(cells) == 1:
        return ""
    widths = [max(len(row[column]) for row in cells) for column in range(3)]
    lines = (f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}".rstrip() for a, b, c in cells)
    return "\n".join(lines)


def known(metrics: Mapping[str, Any]) -> str:
    """All that is known where a person is asked: ``table``, or how far a train has come; empty: nothing."""
    return table(metrics) or "\n".join(f"{name}: {value}" for name, value in journey(metrics))


def journey(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a train tells before it departs in a wave; empty: it is no train that asks."""
    return [(name, str(value)) for name, value in metrics.items()] if "wave" in metrics else []


def standing(percent: float, endpoint: str, metrics: Mapping[str, Any]) -> str:
    """How far it has come: ``answers 20 % of the requests of churn``, or at which share of a train's stops it is."""
    if journey(metrics):
        return f"has arrived at {share(percent)} of the stops of {endpoint}"
    return f"answers {share(percent)} of the requests of {endpoint}"


def written(name: str, value: object) -> str:
    """The value of the metric ``name`` as people read it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _NOTHING if value is None else str(value)
    if name not in _KNOWN:
        return f"{value:.4g}"
    return _KNOWN[name][1].format(100 * value if name == "error_share" else value)


def share(percent: float) -> str:
    """``20 %`` of 20.0."""
    return f"{percent:g} %"


def since(seconds: float, *, exact: bool = True) -> str:
    """``1 h 5 min`` of 3900; the two greatest units, and with ``exact`` tenths of a few seconds."""
    if exact and 0 < seconds < _FEW_SECONDS:
        return f"{seconds:.1f} s"
    left, parts = round(seconds), []
    for size, name in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0"


def moment(iso: str) -> str:
    """``22 November 2026, 13:07 UTC`` of ``2026-11-22T13:07:16+00:00``."""
    when = datetime.fromisoformat(iso).astimezone(UTC)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def label(package_arn: str) -> str:
    """``churn version 3`` of ``…:model-package/churn/3``."""
    parts = package_arn.rsplit("/", 2)
    return f"{parts[-2]} version {parts[-1]}" if len(parts) == _PARTS_OF_A_PACKAGE else package_arn or "no version yet"


def execution_name(execution_arn: str) -> str:
    """The last part of an execution's ARN."""
    return execution_arn.rpartition(":")[2]


def execution_url(execution_arn: str) -> str:
    """The page of an execution in the AWS console."""
    _, partition, _, region, *_ = [*execution_arn.split(":"), "", "", "", ""]
    host = _CONSOLES.get(partition, "console.aws.amazon.com")
    return f"https://{region}.{host}/states/home?region={region}#/v2/executions/details/{execution_arn}"


def _side(metrics: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    side = metrics.get(name)
    return side if isinstance(side, Mapping) else {}


def _called(name: str) -> str:
    return _KNOWN[name][0] if name in _KNOWN else name.replace("_", " ")

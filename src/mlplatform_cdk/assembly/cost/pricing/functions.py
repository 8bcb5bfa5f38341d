"""Lambda: requests, memory while it runs, and concurrency that is kept warm."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.lines import Charge, Free, Unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.cost.resources import Resource

_MILLION = Decimal(1_000_000)
_MIB_PER_GIB = Decimal(1024)
_SECONDS_PER_HOUR = Decimal(3600)
_SMALLEST = 128
_DISK_INCLUDED = 512


def _function(function: Resource) -> Iterator[Charge | Unseen]:
    processor = _processor(function)
    invocations = function.use("function_invocations")
    yield Charge(
        what=f"invocations on {processor}",
        item=f"lambda.request-{processor}",
        quantity=invocations,
        per="million Lambda invocations",
        units_per=_MILLION,
    )
    memory = _memory(function)
    yield Charge(
        what=f"running time on {processor}",
        item=f"lambda.gb-second-{processor}",
        quantity=None if memory is None else invocations * function.use("function_seconds") * memory,
        per="Lambda GB-second",
    )
    if function.number("EphemeralStorage", "Size", default=_DISK_INCLUDED) != _DISK_INCLUDED:
        yield Unseen("the disk of a function beyond 512 MB")
    snapshots = function.get("SnapStart", "ApplyOn", default="None") != "None"
    if snapshots and not str(function.get("Runtime")).startswith("java"):  # Java's cost nothing
        yield Unseen("the snapshots of a function with SnapStart, kept and restored")
    if function.get("TracingConfig", "Mode") == "Active":
        yield Charge(
            what="traces of the function",
            item="xray.trace",
            quantity=invocations * function.use("traced_share"),
            per="million traces",
            units_per=_MILLION,
        )


def _kept_warm(version: Resource) -> Iterator[Charge | Free]:
    """A version or an alias: provisioned concurrency is charged by the hour, as much memory as its function has."""
    settings = "ProvisionedConcurrencyConfig"
    if version.get(settings) is None:
        yield Free("versions and aliases cost nothing by themselves")
        return
    reference = version.raw.get("FunctionName")
    logical_id = reference.get("Ref") if isinstance(reference, dict) else None
    function = next(
        (each for each in version.neighbours("AWS::Lambda::Function") if each.logical_id == logical_id), None
    )
    count = version.number(settings, "ProvisionedConcurrentExecutions")
    memory = _memory(function) if function is not None else None
    known = count is not None and memory is not None
    processor = _processor(function) if function is not None else "x86"
    yield Charge(
        what=f"provisioned concurrency of {count or 'unknown size'}",
        item=f"lambda.provisioned-gb-second-{processor}",
        quantity=count * memory * version.usage.hours * _SECONDS_PER_HOUR if known else None,  # type: ignore[operator]
    )


def _memory(function: Resource) -> Decimal | None:
    mebibytes = function.number("MemorySize", default=_SMALLEST)
    return None if mebibytes is None else mebibytes / _MIB_PER_GIB


def _processor(function: Resource) -> str:
    return "arm" if function.get("Architectures") == ["arm64"] else "x86"


PRICED = {
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Version": _kept_warm,
    "AWS::Lambda::Alias": _kept_warm,
}

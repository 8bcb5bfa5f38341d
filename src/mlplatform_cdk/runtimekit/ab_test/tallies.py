"""What the variants have gathered: exact sums per variant and metric, in several items so that writers seldom meet."""

import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

from mlplatform_cdk.runtimekit.ab_test import items

SHARDS = 8
EXPOSED = "exposed"
PARTS = ("exposed_0", "exposed_1")
# Values are summed in millionths, as whole numbers: the squares of a billion of the greatest stay within DynamoDB's 38
# digits, and no sum loses any.
MOST, STEP = Decimal(10**8), Decimal("0.000001")
_MILLIONTHS = 10**6
_DIGITS = 60
_COUNT, _SUM, _SQUARES = "n_", "s_", "q_"


@dataclass(frozen=True, slots=True)
class Sums:
    """A metric of one variant.

    :param count: how many values.
    :param total: their sum.
    :param squares: the sum of their squares.
    """

    count: int = 0
    total: Decimal = Decimal(0)
    squares: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Tally:
    """All of one variant.

    :param exposed: how many keys (or requests, if those are the samples) had it as their first variant.
    :param metrics: by name.
    :param parts: of ``exposed``, by whether the shares that gave the variant were those after an even or an odd look.
    """

    exposed: int = 0
    metrics: Mapping[str, Sums] = field(default_factory=dict)
    parts: tuple[int, int] = (0, 0)


def partition_of(run: str, variant: str) -> str:
    """Where the counters of a variant lie."""
    return f"tally#{run}#{variant}"


def shard_of(unit: str) -> str:
    """Which of the counters a sample goes to."""
    return f"{zlib.crc32(unit.encode()) % SHARDS:02}"


def amounts(values: Mapping[str, Decimal]) -> dict[str, int]:
    """What is added to the counters for one sample's ``values``, which are multiples of ``STEP``."""
    added: dict[str, int] = {}
    for name, value in values.items():
        whole = int(value * _MILLIONTHS)
        added |= {f"{_COUNT}{name}": 1, f"{_SUM}{name}": whole, f"{_SQUARES}{name}": whole * whole}
    return added


def read(table: str, run: str, variant: str) -> Tally:
    """What ``variant`` has gathered."""
    summed: Counter[str] = Counter()
    for shard in items.query(table, partition_of(run, variant)):
        summed.update({name: int(value) for name, value in shard.items() if isinstance(value, Decimal)})
    names = [name.removeprefix(_COUNT) for name in summed if name.startswith(_COUNT)]
    even, odd = (summed[name] for name in PARTS)
    return Tally(summed[EXPOSED], {name: _sums(summed, name) for name in names}, (even, odd))


def to_mapping(tally: Tally) -> dict[str, Any]:
    """``tally`` as JSON takes it, without losing a digit."""
    metrics = {name: [one.count, str(one.total), str(one.squares)] for name, one in tally.metrics.items()}
    return {"exposed": tally.exposed, "metrics": metrics, "parts": [*tally.parts]}


def from_mapping(value: Mapping[str, Any]) -> Tally:
    """What ``to_mapping`` gave."""
    sums = {name: Sums(one[0], Decimal(one[1]), Decimal(one[2])) for name, one in value["metrics"].items()}
    even, odd = value.get("parts", (0, 0))
    return Tally(value["exposed"], sums, (even, odd))


def _sums(summed: Mapping[str, int], name: str) -> Sums:
    with localcontext() as exactly:
        exactly.prec = _DIGITS
        return Sums(
            summed[_COUNT + name],
            Decimal(summed[_SUM + name]) / _MILLIONTHS,
            Decimal(summed[_SQUARES + name]) / _MILLIONTHS**2,
        )

"""What comes next in a release, from where it is. Pure: no clock, no network; looks are counted, never seconds.

The strategy makes the whole schedule at once, as a list of moves; a release is then a place in that list. Each move is
one decision, and one audit record.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mlplatform_cdk.runtimekit.release_rules import seconds
from mlplatform_cdk.runtimekit.release_strategy import ALL, Gate, Strategy

# The moves of the schedule.
SHADOW, BESIDE, SHIFT, OBSERVE, GATE, BAKE, FINISH = (
    "shadow",
    "beside",
    "shift",
    "observe",
    "gate",
    "bake",
    "finish",
)
# What a look says: look again, go on, or go back.
AGAIN, ON, BACK = "again", "on", "back"

# A change is looked for often while it may be quick, and then with patience.
QUICK_S, QUICK_LOOKS, SLOW_S = 5, 12, 30
# Another release may bake for a day and wait for people: its end is looked for every quarter of an hour in the end.
TURN_QUICK_LOOKS, TURN_SLOW_S = 20, 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move of the schedule.

    :param kind: what is done.
    :param percent: green's share of the requests from here on.
    :param looks: after how many looks a window ends.
    :param longest: after how many it ends although green lacks requests.
    :param every_s: from one look to the next, in seconds.
    :param timeout_s: how long a person may take at a gate, in seconds.
    """

    kind: str
    percent: float
    looks: int = 0
    longest: int = 0
    every_s: int = 0
    timeout_s: int = 0

    def to_mapping(self) -> dict[str, Any]:
        """As the machine's state carries it."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> "Move":
        """What ``to_mapping`` gave, among other things."""
        return cls(**{name: value[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look decides, and why."""

    what: str
    reason: str


def schedule(strategy: Strategy) -> tuple[Move, ...]:
    """All moves of a release that has a blue, in their order; ``beside`` ends with green tested.

    :param strategy: of the release.
    """
    return tuple(_moves(strategy))


def _moves(strategy: Strategy) -> Iterator[Move]:
    if strategy.shadow_percent:
        yield Move(kind=SHADOW, percent=0.0)
        yield from _window(strategy, 0.0)
    yield Move(kind=BESIDE, percent=0.0)
    yield from _gate(strategy.gate_at(0.0))
    for percent in strategy.steps:
        yield Move(kind=SHIFT, percent=percent)
        yield from _window(strategy, percent)
        yield from _gate(strategy.gate_at(percent))
    if strategy.bake_looks:
        looks = strategy.bake_looks
        yield Move(kind=BAKE, percent=ALL, looks=looks, longest=looks, every_s=seconds(strategy.bake_every))
    yield Move(kind=FINISH, percent=ALL)


def _window(strategy: Strategy, percent: float) -> Iterator[Move]:
    if strategy.window_looks:
        yield Move(
            kind=OBSERVE,
            percent=percent,
            looks=strategy.window_looks,
            longest=strategy.longest_window_looks,
            every_s=seconds(strategy.look_every),
        )


def _gate(gate: Gate | None) -> Iterator[Move]:
    if gate is not None:
        yield Move(kind=GATE, percent=gate.at_percent, timeout_s=seconds(gate.timeout))


def seen(strategy: Strategy, move: Move, *, looks: int, ok: bool | None, alarms: Sequence[str]) -> Seen:
    """What a look at green decides.

    :param strategy: of the release.
    :param move: the window that is being looked at.
    :param looks: how often it was looked at, this time included.
    :param ok: the verdict on the metrics; None: too few requests for one.
    :param alarms: the alarms that ring now.
    """
    if alarms:
        return Seen(BACK, f"{', '.join(alarms)} must not be in alarm")
    if ok is False:
        return Seen(BACK, "green must hold what the strategy asks of it")
    if looks < move.looks:
        return Seen(AGAIN, f"look {looks} of {move.looks}")
    if ok or move.kind == BAKE:
        return Seen(ON, f"green held for {looks} looks")
    return _scarce(strategy, move, looks)


def _scarce(strategy: Strategy, move: Move, looks: int) -> Seen:
    """The end of a window with too few requests."""
    few = f"green must answer {strategy.rules.minimum_requests} requests in a window, and did not in {looks} looks"
    if strategy.rules.without_enough_requests == "pass":
        return Seen(ON, f"{few}, which the strategy lets pass")
    return Seen(AGAIN, few) if looks < move.longest else Seen(BACK, few)


def shares(green: str, blue: str, percent: float) -> list[dict[str, Any]]:
    """The weights that give ``green`` its share, as UpdateEndpointWeightsAndCapacities takes them.

    :param green: its variant.
    :param blue: its variant.
    :param percent: of the requests, for green; together they weigh 1.
    """
    part = round(percent / ALL, 4)
    return [
        {"VariantName": green, "DesiredWeight": part},
        {"VariantName": blue, "DesiredWeight": round(1.0 - part, 4)},
    ]


def pause_s(looks: int, slow_s: int = SLOW_S) -> int:
    """How many seconds to wait after so many looks at a change.

    :param looks: how many.
    :param slow_s: the wait after the first ones, which are quick; default: half a minute.
    """
    return QUICK_S if looks < QUICK_LOOKS else slow_s


def turn_pause_s(looks: int, *, urgent: bool = False) -> int:
    """How many seconds to wait after so many looks for the turn.

    :param looks: how often it was asked for.
    :param urgent: who asks takes traffic away; whoever has the turn was ended for that, or is dead.
    """
    if urgent and looks < QUICK_LOOKS:
        return QUICK_S
    return SLOW_S if looks < TURN_QUICK_LOOKS else TURN_SLOW_S

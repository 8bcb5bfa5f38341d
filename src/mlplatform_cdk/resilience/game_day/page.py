"""The plan of a game day, in Markdown: what people agree on before, and fill in after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlplatform_cdk.routing.plan import MultiRegionEndpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One experiment of the day, as people read it.

    :param name: the experiment's.
    :param does: one sentence.
    :param minutes: how long.
    :param rings: the alarms that must ring, with the seconds within which.
    :param stops: the alarms that must not.
    :param shifted_s: seconds until callers are led elsewhere, where an alarm must ring.
    :param pause_min: minutes of rest after it.
    """

    name: str
    does: str
    minutes: int
    rings: Mapping[str, int]
    stops: Sequence[str]
    shifted_s: int
    pause_min: int


def page(
    *,
    title: str,
    plan: MultiRegionEndpoint,
    region: str,
    led_by: str,
    drills: Sequence[Drill],
    back_s: int,
    kept_in: str,
) -> str:
    """The whole plan.

    :param title: of the day.
    :param plan: the regions, and how they are probed and checked.
    :param region: where it is broken.
    :param led_by: who may say stop.
    :param drills: in their order.
    :param back_s: seconds from the end of a fault until callers come back.
    :param kept_in: the prefix under which it is kept.
    """
    others = ", ".join(plan.others(region)) or "none"
    parts = [
        f"# Game day: {title}",
        f"{plan.domain_name}, broken in {region}; other regions: {others}. Led by {led_by}, who may say stop.",
        _before(drills),
        *(_drill(number, drill) for number, drill in enumerate(drills, start=1)),
        _back(back_s),
        _after(kept_in),
    ]
    return "\n\n".join(parts) + "\n"


def _before(drills: Sequence[Drill]) -> str:
    watched = sorted({name for drill in drills for name in (*drill.rings, *drill.stops)})
    return "\n".join(
        [
            "## Before",
            "",
            "- People: one leads, one watches the dashboard, one writes down what happens when; who is on call knows.",
            "- No release runs or is planned for the day, and nobody deploys.",
            "- Steady state: each of these alarms is OK. The document looks first, and begins nothing otherwise.",
            *(f"  - `{name}`" for name in watched),
        ]
    )


def _drill(number: int, drill: Drill) -> str:
    if drill.rings:
        within = "; ".join(f"`{name}` within {seconds} s" for name, seconds in drill.rings.items())
        hypothesis = (
            f"It is noticed, and callers are answered elsewhere. These ring: {within}. The last resolver that keeps to "
            f"the time to live leads callers elsewhere after {drill.shifted_s} s; the client helper does at once. All "
            "is quiet again at the end of the rest."
        )
    else:
        hypothesis = "Callers notice nothing: no alarm rings."
    stops = ", ".join(f"`{name}`" for name in drill.stops)
    return "\n".join(
        [
            f"## {number}. {drill.name}",
            "",
            f"{drill.does}, for {drill.minutes} minutes; then {drill.pause_min} minutes of rest.",
            "",
            f"- Hypothesis: {hypothesis}",
            f"- Abort: AWS FIS stops it where one of these rings: {stops}.",
            "- Abort by hand: cancel the document's execution, which stops the experiment, too.",
        ]
    )


def _back(back_s: int) -> str:
    return "\n".join(
        [
            "## The way back",
            "",
            "- AWS FIS, or the experiment's second document, mends what is broken, also after a stop.",
            "- If that fails: run that document (`Mend` is in its name) again, with the parameters of what failed.",
            f"- The region serves again {back_s} s after the end of a fault, if it has not left twice in half an hour.",
            "- To go back earlier: `mlplatform region status`; to keep callers away: `mlplatform region drain`.",
        ]
    )


def _after(kept_in: str) -> str:
    return "\n".join(
        [
            "## After",
            "",
            f"Each experiment leaves a page under `{kept_in}`, with what rang when, and a report under `chaos/`. Add:",
            "",
            "- what people saw, when, and by what (an alarm, the dashboard, a caller);",
            "- requests that failed, and for how long;",
            "- what surprised, and what is changed by whom until when;",
            "- whether the hypothesis holds, in a word.",
        ]
    )

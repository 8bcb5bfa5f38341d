"""How an endpoint gets from what it is to what it should be: one change at a time, weights first. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlplatform_cdk.release.ab_test.runtime.errors import TestFailed

CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack")
WAIT, WEIGHTS, CONFIGURATION, DONE = "wait", "weights", "configuration", "done"
_SAME = 0.0005  # weights are floats of 32 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """An endpoint as it is.

    :param status: SageMaker's.
    :param configuration: the name of its configuration.
    :param weights: by variant.
    :param counts: of instances, by variant.
    :param reason: why an update failed, if SageMaker says so.
    """

    status: str
    configuration: str
    weights: Mapping[str, float]
    counts: Mapping[str, int]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an endpoint should be.

    :param configuration: the name of its configuration.
    :param weights: by variant; any other has none.
    """

    configuration: str
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to do next.

    :param what: ``wait``, ``weights``, ``configuration`` or ``done``.
    :param weights: those to set.
    """

    what: str
    weights: Mapping[str, float]


def next_step(live: Live, target: Target, *, asked: bool) -> Step:
    """What brings ``live`` nearer to ``target``.

    :param live: the endpoint now.
    :param target: what it should be.
    :param asked: was the configuration asked for before; if it is not there then, SageMaker has rolled back.
    :raises TestFailed: when the endpoint cannot get there.
    """
    if live.status in CHANGING:
        return Step(what=WAIT, weights={})
    if live.status != "InService":
        raise TestFailed(f"the endpoint must be in service, got {live.status or 'no endpoint'} {live.reason}".rstrip())
    wanted = {name: target.weights.get(name, 0.0) for name in live.weights}
    if not any(wanted.values()):
        raise TestFailed(
            f"the endpoint must have one of the variants {', '.join(target.weights)}, got {', '.join(live.weights)}"
        )
    shares = _shares(wanted)
    if any(abs(shares[name] - share) > _SAME for name, share in _shares(live.weights).items()):
        return Step(what=WEIGHTS, weights=wanted)
    if live.configuration == target.configuration:
        return Step(what=DONE, weights={})
    if asked:
        raise TestFailed(
            f"the endpoint must have the configuration {target.configuration}, and SageMaker rolled back to "
            f"{live.configuration}: {live.reason or 'it gives no reason'}"
        )
    return Step(what=CONFIGURATION, weights={})


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {name: weight / total if total else 0.0 for name, weight in weights.items()}

"""Has the endpoint become what was asked for? Pure."""

from collections.abc import Mapping

from mlplatform_cdk.release.blue_green.runtime.errors import NoInstances, ReleaseFailed
from mlplatform_cdk.release.blue_green.runtime.state import CHANGING, Live

_CLOSE = 1e-6
# "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please retry using …"
_NO_INSTANCES = ("ML compute capacity", "InsufficientInstanceCapacity")


def has_settled(live: Live, *, configuration: str, weights: Mapping[str, float], looks: int, most_looks: int) -> bool:
    """True when the endpoint serves ``configuration`` with these ``weights``; False while that may still come.

    An endpoint in service is no proof: SageMaker rolls a failed update back by itself and is in service again.

    :param live: the endpoint now.
    :param configuration: the name of the configuration that was asked for.
    :param weights: the weights that were asked for, by variant; those not named may be anything.
    :param looks: how often it was looked at, this time included.
    :param most_looks: after how many this is given up.
    :raises ReleaseFailed: when it will not come.
    """
    if live.status == "InService":
        if live.configuration != configuration:
            reason = live.reason or "SageMaker gave no reason; see the log of the variant in CloudWatch"
            message = f"SageMaker rolled back to {live.configuration} instead of serving {configuration}: {reason}"
            raise _kind(live)(message)
        if _weighs(live, weights):
            return True
    elif live.status not in CHANGING:
        message = (
            f"the endpoint must become InService, got {live.status or 'no endpoint'}: {live.reason or 'no reason'}"
        )
        raise _kind(live)(message)
    if looks >= most_looks:
        message = f"the endpoint must serve {configuration} by now, got status {live.status} after {looks} looks"
        raise ReleaseFailed(message)
    return False


def _kind(live: Live) -> type[ReleaseFailed]:
    return NoInstances if any(words in live.reason for words in _NO_INSTANCES) else ReleaseFailed


def _weighs(live: Live, weights: Mapping[str, float]) -> bool:
    current = {one.name: one.weight for one in live.variants}
    return all(name in current and abs(current[name] - weight) < _CLOSE for name, weight in weights.items())

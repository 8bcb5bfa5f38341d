"""How many instances a target tracking policy wants. Pure.

https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Way = Literal["out", "in"]

# The periods of a minute that each of a variant's two alarms looks at, and where the lower one lies, as seen in AWS:
# https://repost.aws/questions/QUf450Wsd9RROGGOIwaolN9w/sagemaker-autoscaling-delay
OUT_MINUTES, IN_MINUTES, LOWER = 3, 15, 0.9
# https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TargetTrackingScalingPolicyConfiguration.html
COOLDOWN_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a scalable target allows.

    :param minimum: instances at least.
    :param maximum: instances at most.
    """

    minimum: int
    maximum: int

    def hold(self, count: int) -> int:
        """The nearest number that is allowed."""
        return max(self.minimum, min(self.maximum, count))


def wanted(now: int, per_instance: float, target: float, way: Way, bounds: Bounds) -> int:
    """The instances that bring the metric to its target, rounded up, since too many cost less than too few.

    :param now: instances that serve.
    :param per_instance: what the metric says of each of them.
    :param target: what it should say at most.
    :param way: an alarm lets it only grow, or only shrink.
    :param bounds: of the scalable target.
    """
    count = bounds.hold(math.ceil(now * per_instance / target))
    return max(now, count) if way == "out" else min(now, count)

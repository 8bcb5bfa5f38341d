"""How SageMaker updates an endpoint of the template: in which steps, watched by which alarms, and what stays as it was.

The words are those of ``Strategy``, which releases follow; what SageMaker cannot do is refused while the app is built.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from mlplatform_cdk.runtimekit.release_rules import must
from mlplatform_cdk.runtimekit.release_strategy import Strategy
from mlplatform_cdk.serving.guardrails.rendering import deployment_of, retained_by
from mlplatform_cdk.serving.guardrails.size import Size
from mlplatform_cdk.serving.guardrails.times import Time, lasting

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

Kind = Literal["ALL_AT_ONCE", "CANARY", "LINEAR", "ROLLING"]
_KINDS = get_args(Kind)
# DeploymentConfig in SageMaker's service model and in CloudFormation's schema.
LONGEST_WAIT = timedelta(hours=1)
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = timedelta(minutes=10), timedelta(hours=8)
MOST_ALARMS = MOST_VARIANTS = 10
# TrafficRoutingConfig and RollingUpdatePolicy in the same model: SageMaker itself checks these only at the update.
_SHARES = {"CANARY": (1, 50), "LINEAR": (10, 50), "ROLLING": (5, 50)}
_BACK = (1, 100)
_WHAT = {"CANARY": "a canary", "LINEAR": "a step", "ROLLING": "a batch"}
_ALL = 100
_TEN_MINUTES = timedelta(minutes=10)
_FLEET_COMES_UP = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentGuardrails:
    """One update of a ``RealtimeEndpoint``, as SageMaker makes it; choose one by its name, such as ``canary``.

    SageMaker leaves guardrails out without a word on Inf1 instances and Marketplace containers, refuses rolling updates
    of several variants, and asks that the variants keep their names:
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html

    :param kind: how the new fleet takes over.
    :param step: the canary, a linear step or a rolling batch.
    :param back: the batch of the way back of a rolling update; None: the whole fleet at once.
    :param observe: how long alarms are watched after each step but the last; up to an hour. Times may be CDK's
        ``Duration``, too.
    :param bake: how long they are watched with all traffic on the new fleet, before the old one goes; up to an hour.
    :param timeout: the most that an update may take, 10 minutes to 8 hours; default: the waits and an hour.
    :param alarms: each takes the update back when it goes off; up to 10.
    :param keep_capacity: the instances that scaling had reached stay.
    :param keep_weights: the weights that somebody has set since stay; default: those of the template rule.
    :param keep_capture: the capture of the former configuration stays; default: that of the template rules.
    """

    kind: Kind
    step: Size | None = None
    back: Size | None = None
    observe: timedelta = timedelta(0)
    bake: timedelta = timedelta(0)
    timeout: timedelta | None = None
    alarms: "tuple[cloudwatch.IAlarm, ...]" = ()
    keep_capacity: bool = True
    keep_weights: bool = False
    keep_capture: bool = False

    def __post_init__(self) -> None:
        """Refuse what SageMaker would refuse, one clear sentence each.

        :raises StrategyError: naming the first rule that is broken.
        """
        must(self.kind in _KINDS, f"kind must be one of {', '.join(_KINDS)}, got {self.kind!r}")
        for name in ("observe", "bake", "timeout"):
            if (time := getattr(self, name)) is not None:
                object.__setattr__(self, name, lasting(name, time))  # it is frozen, and takes CDK's Duration
        for name in ("observe", "bake"):
            time = getattr(self, name)
            must(timedelta(0) <= time <= LONGEST_WAIT, f"{name} must be from 0 to 60 minutes, got {time}")
        self._check_parts()
        must(len(self.alarms) <= MOST_ALARMS, f"there may be {MOST_ALARMS} alarms, got {len(self.alarms)}")
        good = SHORTEST_TIMEOUT <= self.longest <= LONGEST_TIMEOUT
        must(good, f"timeout must be from 10 minutes to 8 hours, got {self.longest}")
        must(
            self.longest > self.waits,
            f"timeout must be longer than all waits together, {self.waits}, got {self.longest}; watch for less time or "
            "take larger steps",
        )

    def _check_parts(self) -> None:
        whole, rolling = self.kind == "ALL_AT_ONCE", self.kind == "ROLLING"
        must(
            (self.step is None) == whole,
            f"{self.kind} must have {'no' if whole else 'a'} step, got {self.step}; choose one by its name, such as "
            "DeploymentGuardrails.canary(10)",
        )
        must(rolling or self.back is None, f"only a rolling update goes back in batches, got back for {self.kind}")
        must(not (rolling and self.bake), "a rolling update has no bake: its old fleet goes batch by batch")
        if self.step is not None:
            self.step.check_share(_SHARES[self.kind], _WHAT[self.kind])
        if self.back is not None:
            self.back.check_share(_BACK, "back_by")

    @classmethod
    def all_at_once(cls, *, bake: Time = _TEN_MINUTES, **changes: Any) -> "DeploymentGuardrails":
        """All requests in one step. ``changes``: any other argument of ``DeploymentGuardrails``."""
        return cls(kind="ALL_AT_ONCE", bake=lasting("bake", bake), **changes)

    @classmethod
    def canary(
        cls,
        percent: float | None = None,
        *,
        instances: int | None = None,
        observe: Time = _TEN_MINUTES,
        bake: Time = _TEN_MINUTES,
        **changes: Any,
    ) -> "DeploymentGuardrails":
        """One step of up to half of the fleet, then all; SageMaker's canary has two steps and no more.

        :param percent: the canary's share of the fleet, 1 to 50; or
        :param instances: its instances.
        :param observe: how long the canary is watched; default: 10 minutes.
        :param bake: how long the whole fleet is; default: 10 minutes.
        :param changes: any other argument of ``DeploymentGuardrails``.
        """
        step = Size.of(percent, instances, "a canary")
        return cls(kind="CANARY", step=step, observe=lasting("observe", observe), bake=lasting("bake", bake), **changes)

    @classmethod
    def linear(
        cls,
        by: float | None = None,
        *,
        instances: int | None = None,
        observe: Time = _TEN_MINUTES,
        bake: Time = _TEN_MINUTES,
        **changes: Any,
    ) -> "DeploymentGuardrails":
        """Equal steps until the whole fleet answers.

        :param by: each step's share of the fleet, 10 to 50 percent; or
        :param instances: its instances.
        :param observe: how long each step is watched; default: 10 minutes.
        :param bake: how long the whole fleet is; default: 10 minutes.
        :param changes: any other argument of ``DeploymentGuardrails``.
        """
        step = Size.of(by, instances, "a step")
        return cls(kind="LINEAR", step=step, observe=lasting("observe", observe), bake=lasting("bake", bake), **changes)

    @classmethod
    def rolling(
        cls,
        by: float | None = None,
        *,
        instances: int | None = None,
        back_by: float | None = None,
        observe: Time = _TEN_MINUTES,
        **changes: Any,
    ) -> "DeploymentGuardrails":
        """One batch after another in the place of the old one: no second fleet, and so no instant way back.

        :param by: a batch's share of the fleet, 5 to 50 percent; or
        :param instances: its instances.
        :param back_by: the share of a batch on the way back; default: the whole fleet at once.
        :param observe: how long each batch is watched; default: 10 minutes.
        :param changes: any other argument of ``DeploymentGuardrails``.
        """
        back = None if back_by is None else Size.of(back_by, None, "back_by")
        step = Size.of(by, instances, "a batch")
        return cls(kind="ROLLING", step=step, back=back, observe=lasting("observe", observe), **changes)

    @classmethod
    def of(cls, strategy: Strategy, **changes: Any) -> "DeploymentGuardrails":
        """The guardrails that do what ``strategy`` says.

        SageMaker asks no golden requests, warms nothing up, and after the last step there is its ``bake`` alone.

        :param strategy: of a release; what only a release can do is refused.
        :param changes: any other argument of ``DeploymentGuardrails``.
        :raises StrategyError: naming what only a ``ReleasedEndpoint`` with a release can do.
        """
        only = "only a release can do that: use a ReleasedEndpoint"
        must(not strategy.gates, f"SageMaker asks nobody in an update, got {len(strategy.gates)} gates; {only}")
        must(not strategy.shadow_percent, f"a shadow is no update of SageMaker's; {only}")
        must(not strategy.replay_requests, f"SageMaker replays no request, got {strategy.replay_requests}; {only}")
        must(not strategy.retention, f"retention must be 0, got {strategy.retention}: SageMaker keeps no blue; {only}")
        waits = {"bake": strategy.bake, **changes}
        first, *rest = strategy.steps
        if not rest:
            return cls.all_at_once(**waits)
        if len(rest) == 1:
            return cls.canary(first, observe=strategy.observe, **waits)
        even = all(other - one == first for one, other in zip(strategy.steps, rest[:-1], strict=False))
        must(even, f"the steps of an update must all be of one size, got {strategy.steps}; {only}")
        return cls.linear(first, observe=strategy.observe, **waits)

    @property
    def steps(self) -> int:
        """In how many steps or batches the traffic moves, at most."""
        if self.step is None:
            return 1
        if self.kind == "CANARY":
            return 2
        least = self.step.value if self.step.in_percent else _SHARES[self.kind][0]
        return math.ceil(_ALL / least)

    @property
    def waits(self) -> timedelta:
        """How long an update waits at most, without the time that fleets take to come up."""
        return self.observe * (self.steps if self.kind == "ROLLING" else self.steps - 1) + self.bake

    @property
    def longest(self) -> timedelta:
        """The most that an update may take."""
        return self.timeout if self.timeout is not None else self.waits + _FLEET_COMES_UP

    def with_alarms(self, alarms: "Sequence[cloudwatch.IAlarm]") -> "DeploymentGuardrails":
        """These guardrails with more alarms."""
        return replace(self, alarms=(*self.alarms, *alarms))

    def check_fleets(self, fleets: Mapping[str, tuple[str, int]]) -> None:
        """Refuse fleets that SageMaker cannot update so.

        :param fleets: variant to its instance type and its instances at rest.
        :raises StrategyError: naming the first variant that it cannot.
        """
        alone = self.kind != "ROLLING" or len(fleets) == 1
        must(alone, f"a rolling update takes one variant, got {', '.join(sorted(fleets))}; use canary or linear")
        for variant, (instance_type, instances) in fleets.items():
            inf1 = instance_type.startswith("ml.inf1.")
            must(not inf1, f"SageMaker has no guardrails on {instance_type}, of variant {variant}: leave them out")
            if self.step is not None:
                self.step.check_fleet(variant, instances, _SHARES[self.kind], _WHAT[self.kind])

    def check_scaled(self, most: Mapping[str, int]) -> None:
        """Refuse a step that is too small a part of a fleet which scaling has made larger, and which stays so.

        :param most: variant to the most instances that scaling may give it.
        :raises StrategyError: naming the first variant that SageMaker would not update then.
        """
        if self.step is not None and self.kind != "CANARY" and self.keep_capacity:
            for variant, instances in most.items():
                self.step.check_scaled(variant, instances, _SHARES[self.kind][0], _WHAT[self.kind])

    def check_start(self, slow_start: timedelta) -> None:
        """Refuse a timeout that ends before fleets may have come up: SageMaker would take the update back.

        :param slow_start: how much longer than others an instance may take to come up.
        :raises StrategyError: naming what the timeout must be longer than.
        """
        starts = slow_start * (self.steps if self.kind == "ROLLING" else 1)
        must(
            not starts or self.longest > self.waits + starts,
            f"timeout must be longer than all waits and starts together, {self.waits + starts}, got {self.longest}; "
            "give it, up to 8 hours, or make startup_timeout and download_timeout shorter",
        )

    def deployment(self) -> dict[str, Any]:
        """A ``DeploymentConfig``, as SageMaker and CloudFormation spell it."""
        return deployment_of(self)

    def retained(self) -> dict[str, Any]:
        """The endpoint's retain flags, as SageMaker and CloudFormation spell them."""
        return retained_by(self)

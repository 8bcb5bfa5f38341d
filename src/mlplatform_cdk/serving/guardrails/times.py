"""Lengths of time as guardrails reckon with them, from either of the two that they take."""

from datetime import timedelta
from typing import TypeAlias

from aws_cdk import Duration

from mlplatform_cdk.runtimekit.release_rules import must

Time: TypeAlias = timedelta | Duration


def lasting(name: str, time: object) -> timedelta:
    """``time`` as Python has it: CDK's own are what the constructs take, Python's what a release's strategy takes.

    :param name: of the argument, for the error.
    :param time: of either kind.
    :raises StrategyError: when it is neither, or only the deployment knows it.
    """
    if isinstance(time, timedelta):
        return time
    must(isinstance(time, Duration), f"{name} must be a Duration or a timedelta, got {time!r}; try Duration.minutes(5)")
    assert isinstance(time, Duration)
    must(not time.is_unresolved(), f"{name} must be known while the app is built, got a token; give the value itself")
    return timedelta(milliseconds=time.to_milliseconds())

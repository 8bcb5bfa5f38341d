"""Lengths of time as CDK takes them: one object for each, whose seconds nobody has to ask Node for."""

from functools import cache

from aws_cdk import Duration

from mlplatform_cdk.core.answers import seconds_of


@cache
def seconds(count: int) -> Duration:
    """``Duration.seconds``."""
    return _lasting(Duration.seconds(count), count)


@cache
def minutes(count: int) -> Duration:
    """``Duration.minutes``."""
    return _lasting(Duration.minutes(count), count * 60)


@cache
def hours(count: int) -> Duration:
    """``Duration.hours``."""
    return _lasting(Duration.hours(count), count * 3600)


@cache
def days(count: int) -> Duration:
    """``Duration.days``."""
    return _lasting(Duration.days(count), count * 86_400)


def _lasting(duration: Duration, count: int) -> Duration:
    seconds_of.tell(duration, count)
    return duration

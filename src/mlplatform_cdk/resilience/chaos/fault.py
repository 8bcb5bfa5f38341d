"""What every fault is: something that breaks for a while, with the alarms that must ring for it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_fis as fis
from constructs import Construct

from mlplatform_cdk.core import Access
from mlplatform_cdk.resilience.automation import Automation

TEN_MINUTES = timedelta(minutes=10)
MINUTE = timedelta(minutes=1)
_LONGEST = timedelta(hours=11)  # of the twelve that an action may last
_MOST_PERCENT = 100

Action = fis.CfnExperimentTemplate.ExperimentTemplateActionProperty
Target = fis.CfnExperimentTemplate.ExperimentTemplateTargetProperty


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """Two documents of Systems Manager that belong together.

    :param breaks: breaks, waits, and starts the other one.
    :param mends: mends.
    """

    breaks: Automation
    mends: Automation


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault as a template has it.

    :param action: what is done.
    :param access: what the experiment's role may do for it.
    :param targets: to what; default: the action's parameters say it.
    :param documents: the one that breaks and the one that mends; default: AWS FIS does both.
    """

    action: Action
    access: Sequence[Access]
    targets: Mapping[str, Target] = field(default_factory=dict)
    documents: Documents | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(ABC):
    """Something that breaks for a while, and is mended; its subclasses say what.

    :param lasts: how long, in whole minutes up to eleven hours; default: 10 minutes.
    :param rings: alarms that it must raise, as a drill holds against it; they stop no experiment of it; default: none,
        so that the callers must not notice.
    """

    lasts: timedelta = TEN_MINUTES
    rings: Sequence[cloudwatch.IAlarm] = ()

    def __post_init__(self) -> None:
        """Refuse what AWS FIS refuses."""
        if self.lasts % MINUTE or not MINUTE <= self.lasts <= _LONGEST:
            raise ValueError(f"lasts must be whole minutes, 1 to 660, got {self.lasts}")

    @property
    @abstractmethod
    def sentence(self) -> str:
        """What it does."""

    @property
    def bites_within(self) -> timedelta:
        """How long it may take, from the experiment's start, until all of it is broken."""
        return MINUTE

    @property
    def rings_late_by(self) -> timedelta:
        """What an alarm may take more than it looks back on, as where it rings for data that is missing."""
        return timedelta(0)

    @abstractmethod
    def define(self, scope: Construct) -> Injection:
        """Make in ``scope`` what the fault needs."""


def iso(length: timedelta) -> str:
    """Whole minutes, as AWS FIS and Systems Manager write them."""
    return f"PT{length // MINUTE}M"


def require_percent(name: str, value: int) -> None:
    """Refuse what is no share of a hundred, or none at all."""
    if not 1 <= value <= _MOST_PERCENT:
        raise ValueError(f"{name} must lie in 1 to {_MOST_PERCENT}, got {value}")

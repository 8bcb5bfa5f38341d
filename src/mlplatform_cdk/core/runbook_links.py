"""What an alarm's description says that is to be done: in words, and by the runbook once its stack has some.

An alarm and the runbooks are made in any order, and neither knows the other's construct: a stack remembers its alarms
here, and where runbooks are. In Python alone, since each question to Node costs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import IConstruct

from mlplatform_cdk.core.answers import region_of, resource_of, stack_of
from mlplatform_cdk.core.errors import ConfigurationError, is_known
from mlplatform_cdk.runtimekit.runbook_names import PAGE, Runbook

Alarm = cloudwatch.Alarm | cloudwatch.CompositeAlarm
# https://docs.aws.amazon.com/general/latest/gr/aws-arns-and-namespaces.html
_TABLE = f"{PAGE}#which-alarm-which-runbook"
_MOST_TEXT = 1024  # of an alarm's description, says PutMetricAlarm
_CONSOLES = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com"}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRunbooks:
    """The documents of an endpoint's runbooks, as alarms name them.

    :param prefix: how their names begin.
    :param here: those in the stack's region; None: all are, in the other regions.
    """

    prefix: str
    here: frozenset[Runbook] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """What an alarm says: what has happened, and which runbook is for it.

    :param sentence: what has happened, without a full stop.
    :param runbook: what to do.
    :param subject: whose runbooks are meant where a stack leads to those of several: the name of the endpoint, or the
        one name of its regions.
    :param region: where the document is; default: in the alarm's own region.
    """

    sentence: str
    runbook: Runbook
    subject: str
    region: str | None = None

    def describe(self, scope: IConstruct) -> str:
        """The alarm's description: with the document that does it, where the stack knows of runbooks.

        :param scope: any construct of the alarm's stack.
        :raises ConfigurationError: when the runbooks of the alarm's stack are without this one.
        """
        led = _book_of(scope).led_to(self.subject)
        if led is None:
            return f"{self.sentence}. What to do: {self.runbook.sentence}, {self.runbook.section}"
        here = region_of(scope)
        if led.here is not None and self.region in (None, here) and self.runbook not in led.here:
            raise ConfigurationError(
                scope,
                f"the runbooks must have {self.runbook.value!r}, which an alarm needs ({self.sentence}), "
                f"got {', '.join(sorted(led.here))}",
            )
        name = self.runbook.document(led.prefix)
        address = _address(name, self.region or (None if led.here is None else here))
        return f"{self.sentence}. Runbook: {name}, to {self.runbook.sentence}: {address}"

    def remember(self, alarm: Alarm) -> None:
        """Let runbooks that come later be named by ``alarm``, which has this description."""
        _book_of(alarm).alarms.append((alarm, self))

    def tell(self, alarm: Alarm) -> None:
        """Let ``alarm`` say this in place of what it said."""
        _say(alarm, self.describe(alarm))


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysOut:
    """What an alarm over others says: what has happened, and which runbook is for which of them.

    :param sentence: what has happened, without a full stop.
    :param alarms: those below it; of one that is of another stack, or imported, nothing is said.
    :param prefix: how their names begin, which is left out.
    :param subject: as that of a ``WayOut``.
    """

    sentence: str
    alarms: Sequence[cloudwatch.IAlarm]
    prefix: str
    subject: str

    def describe(self, scope: IConstruct) -> str:
        """The alarm's description: the documents, each with the alarms that it is for.

        :param scope: any construct of the alarm's stack.
        """
        book = _book_of(scope)
        led = book.led_to(self.subject)
        named: dict[str, list[str]] = {}
        for alarm in self.alarms:
            way = book.way_of(alarm)
            if way is not None:
                name = way.runbook.value if led is None else way.runbook.document(led.prefix)
                named.setdefault(name, []).append(self._called(alarm))
        begin = f"{self.sentence}. {'What to do' if led is None else 'Runbook'}: "
        end = f"by the alarm that rings, {_TABLE}"
        each = "".join(f"{name} ({', '.join(alarms)}), " for name, alarms in named.items())
        return begin + (each if len(begin + each + end) <= _MOST_TEXT else "") + end

    def _called(self, alarm: cloudwatch.IAlarm) -> str:
        resource = resource_of(alarm)
        assert isinstance(resource, cloudwatch.CfnAlarm | cloudwatch.CfnCompositeAlarm)
        name = resource.alarm_name
        return name.removeprefix(self.prefix) if name is not None and is_known(name) else alarm.node.id

    def remember(self, alarm: Alarm) -> None:
        """Let runbooks that come later be named by ``alarm``, which has this description."""
        _book_of(alarm).alarms.append((alarm, self))

    def tell(self, alarm: Alarm) -> None:
        """Let ``alarm`` say this in place of what it said."""
        _say(alarm, self.describe(alarm))


@dataclass(slots=True)
class _Book:
    """What a stack knows: its alarms, and runbooks by subject."""

    alarms: list[tuple[Alarm, WayOut | WaysOut]] = field(default_factory=list)
    runbooks: dict[str, KeptRunbooks] = field(default_factory=dict)

    def led_to(self, subject: str) -> KeptRunbooks | None:
        """Those of ``subject``, or else the only ones."""
        found = self.runbooks.get(subject)
        if found is None and len({*self.runbooks.values()}) == 1:
            return next(iter(self.runbooks.values()))
        return found

    def way_of(self, alarm: cloudwatch.IAlarm) -> WayOut | None:
        """The runbook of an alarm, as it was said last; None where it is not an alarm of this stack, or over others."""
        said = [way for one, way in self.alarms if one is alarm]
        return said[-1] if said and isinstance(said[-1], WayOut) else None


_BOOKS: WeakKeyDictionary[Stack, _Book] = WeakKeyDictionary()


def lead_to(scope: IConstruct, subjects: Iterable[str], runbooks: KeptRunbooks) -> None:
    """Name these runbooks in the descriptions of the stack's alarms, of those to come, too.

    :param scope: any construct of the stack.
    :param subjects: whose runbooks they are, by the names that the alarms' ``WayOut`` have.
    :param runbooks: where they are.
    :raises ConfigurationError: when an alarm of theirs needs another one.
    """
    book = _book_of(scope)
    book.runbooks.update(dict.fromkeys(subjects, runbooks))
    for alarm, way in book.alarms:
        way.tell(alarm)


def _say(alarm: Alarm, text: str) -> None:
    resource = resource_of(alarm)
    assert isinstance(resource, cloudwatch.CfnAlarm | cloudwatch.CfnCompositeAlarm)
    resource.alarm_description = text


def _address(name: str, region: str | None) -> str:
    """The document's page in the console: of a region, or of the one that its reader looks at."""
    host, page = "console.aws.amazon.com", f"systems-manager/documents/{name}/description"
    if region is None:
        return f"https://{host}/{page}"
    if is_known(region):
        host = next((one for start, one in _CONSOLES.items() if region.startswith(start)), host)
    return f"https://{region}.{host}/{page}?region={region}"


def _book_of(scope: IConstruct) -> _Book:
    return _BOOKS.setdefault(stack_of(scope), _Book())

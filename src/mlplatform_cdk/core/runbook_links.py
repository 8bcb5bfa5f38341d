"""What an alarm's description says that is to be done: in words, and by the runbook once its stack has some.

An alarm and the runbooks are made in any order, and neither knows the other's construct: a stack remembers its alarms
here, and where runbooks are. In Python alone, since each question to Node costs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import IConstruct

from mlplatform_cdk.core.answers import region_of, resource_of, stack_of
from mlplatform_cdk.core.errors import ConfigurationError, is_known
from mlplatform_cdk.runtimekit.runbook_names import Runbook

Alarm = cloudwatch.Alarm | cloudwatch.CompositeAlarm
Documents = Mapping[Runbook, str]
# https://docs.aws.amazon.com/general/latest/gr/aws-arns-and-namespaces.html
_CONSOLES = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """What an alarm says: what has happened, and which runbook is for it.

    :param sentence: what has happened, without a full stop.
    :param runbook: what to do.
    :param subject: whose runbooks are meant where a stack leads to those of several: the name of the endpoint, or the
        one name of its regions.
    """

    sentence: str
    runbook: Runbook
    subject: str

    def describe(self, scope: IConstruct) -> str:
        """The alarm's description: with the document that does it, where the stack knows of runbooks.

        :param scope: any construct of the alarm's stack.
        :raises ConfigurationError: when the runbooks of the alarm's stack are without this one.
        """
        documents = _book_of(scope).documents_of(self.subject)
        if documents is None:
            return f"{self.sentence}. What to do: {self.runbook.sentence}, {self.runbook.section}"
        if self.runbook not in documents:
            known = ", ".join(documents) or "none"
            raise ConfigurationError(
                scope,
                f"the runbooks must have {self.runbook.value!r}, which an alarm needs ({self.sentence}), got {known}",
            )
        name = documents[self.runbook]
        return f"{self.sentence}. Runbook: {name}, to {self.runbook.sentence}: {_address(scope, name)}"

    def remember(self, alarm: Alarm) -> None:
        """Let runbooks that come later be named by ``alarm``, which has this description."""
        _book_of(alarm).alarms.append((alarm, self))

    def tell(self, alarm: Alarm) -> None:
        """Let ``alarm`` say this in place of what it said."""
        resource = resource_of(alarm)
        assert isinstance(resource, cloudwatch.CfnAlarm | cloudwatch.CfnCompositeAlarm)
        resource.alarm_description = self.describe(alarm)


@dataclass(slots=True)
class _Book:
    """What a stack knows: its alarms, and by subject the documents of runbooks."""

    alarms: list[tuple[Alarm, WayOut]] = field(default_factory=list)
    documents: dict[str, Documents] = field(default_factory=dict)

    def documents_of(self, subject: str) -> Documents | None:
        """Those of ``subject``, or else the only ones."""
        found = self.documents.get(subject)
        if found is None and len({id(one) for one in self.documents.values()}) == 1:
            return next(iter(self.documents.values()))
        return found


_BOOKS: WeakKeyDictionary[Stack, _Book] = WeakKeyDictionary()


def lead_to(scope: IConstruct, subjects: tuple[str, ...], documents: Documents) -> None:
    """Name these runbooks in the descriptions of the stack's alarms, of those to come, too.

    :param scope: any construct of the stack.
    :param subjects: whose runbooks they are, by the names that the alarms' ``WayOut`` have.
    :param documents: the name of each runbook's document.
    :raises ConfigurationError: when an alarm of theirs needs another one.
    """
    book = _book_of(scope)
    book.documents.update(dict.fromkeys(subjects, documents))
    for alarm, way in book.alarms:
        way.tell(alarm)


def _address(scope: IConstruct, name: str) -> str:
    """The document's page in the console of the alarm's region."""
    region = region_of(scope)
    host = "console.aws.amazon.com"
    if is_known(region):
        host = next((one for start, one in _CONSOLES.items() if region.startswith(start)), host)
    return f"https://{region}.{host}/systems-manager/documents/{name}/description?region={region}"


def _book_of(scope: IConstruct) -> _Book:
    return _BOOKS.setdefault(stack_of(scope), _Book())

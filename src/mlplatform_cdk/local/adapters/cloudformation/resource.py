"""A resource of a stack, and what a resource type must be able to do."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from moto.cloudformation.parsing import generate_resource_name

if TYPE_CHECKING:
    from collections.abc import Iterator


class CannotProvision(Exception):
    """A resource cannot be made, changed or deleted; the message is the stack event's reason."""


class MustReplace(Exception):
    """The change cannot be made in place: a new resource has to take the old one's place."""


class Properties(dict[str, Any]):
    """Resolved properties that remember which of them were looked at: those that nobody reads are not honoured."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.read.add(str(key))
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The property, which counts as looked at."""
        self.read.add(key)
        return super().get(key, default)

    def __iter__(self) -> Iterator[str]:
        self.read.update(super().keys())
        return super().__iter__()

    def items(self) -> Any:
        """All of them, which count as looked at."""
        self.read.update(super().keys())
        return super().items()

    @staticmethod
    def wrapping(other: Properties) -> Properties:
        """A copy that marks what is read in ``other`` too, for code that changes what it is given."""
        copy = Properties(json.loads(json.dumps(dict.copy(other))))
        copy.read = other.read
        return copy

    def ignored(self) -> list[str]:
        """The properties that were given and never looked at."""
        return [key for key in dict.keys(self) if key not in self.read]


@dataclass(slots=True)
class Resource:
    """One resource of a stack, from its template entry to its physical id.

    ``logical_resource_id``, ``physical_resource_id`` and ``cf_resource_type`` are the names under which moto's answers
    look them up.
    """

    logical_resource_id: str
    cf_resource_type: str
    properties: Properties
    stack_id: str
    stack_name: str
    account: str
    region: str
    kind: Kind
    physical_resource_id: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    entry: dict[str, Any] = field(default_factory=dict)
    model: Any = None

    def generated_name(self, limit: int = 64) -> str:
        """A name as CloudFormation makes one: the stack's, the logical id and a random end."""
        name = generate_resource_name(self.cf_resource_type, self.stack_name, self.logical_resource_id)
        stem, _, suffix = name.rpartition("-")
        return f"{stem[: limit - len(suffix) - 1].rstrip('-')}-{suffix}"

    def arn(self, service: str, path: str) -> str:
        """The ARN of ``path`` in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{path}"


class Kind(Protocol):
    """A resource type."""

    @property
    def stand_in(self) -> str:
        """Why such a resource is only a record; empty when it is real."""

    def create(self, resource: Resource) -> None:
        """Make it; sets ``physical_resource_id`` and ``attributes``."""

    def update(self, resource: Resource, before: Resource) -> None:
        """Change ``before`` into ``resource`` in place, or raise ``MustReplace``."""

    def delete(self, resource: Resource) -> None:
        """Delete it; one that is gone already is no error."""

    def attribute(self, resource: Resource, name: str) -> Any:
        """What ``Fn::GetAtt`` of ``name`` is; ``KeyError`` when there is no such attribute."""

"""What a comparison says: per assembly its stacks, per stack its resources, per resource its properties."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.schemas import Effect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlplatform_cdk.assembly.diff.canonical import Resource
    from mlplatform_cdk.assembly.diff.sources import Source


class Action(StrEnum):
    """What happens to a resource."""

    ADDED = "added"
    REMOVED = "removed"
    REPLACED = "replaced"
    MAY_BE_REPLACED = "may-be-replaced"
    MOVED = "moved"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyChange:
    """One property, or one attribute beside the properties, that differs.

    :param path: such as ``("Properties", "Tags", "0", "Value")``.
    :param before: in its one form; None: not there.
    :param after: in its one form; None: not there.
    :param asset: only the hash of an asset's content differs.
    """

    path: tuple[str, ...]
    before: Any
    after: Any
    effect: Effect = Effect.UPDATE
    asset: bool = False

    @property
    def name(self) -> str:
        """The dotted path."""
        return ".".join(self.path)

    @property
    def leaf(self) -> str:
        """The last name in the path that is no index."""
        return next((part for part in reversed(self.path) if not part.isdigit()), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterpart:
    """The other half of a resource that moves from one stack to another.

    :param abandoned: its stack is no longer in the app, so that nothing deletes what is in it.
    """

    stack: str
    resource: Resource
    abandoned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceChange:
    """One resource that differs.

    :param before: None: it is new.
    :param after: None: it goes.
    :param because: why it is replaced, where no property of its own says so, or where it moves from or to.
    :param counterpart: where it moves from or to, of one that comes in a stack and goes from another.
    """

    action: Action
    before: Resource | None
    after: Resource | None
    properties: tuple[PropertyChange, ...] = ()
    because: str = ""
    counterpart: Counterpart | None = None

    @property
    def resource(self) -> Resource:
        """The resource as it will be, or as it was where it goes."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def only_assets(self) -> bool:
        """Whether nothing differs but the content of assets."""
        return self.action is Action.CHANGED and all(change.asset for change in self.properties)

    @property
    def made_anew(self) -> bool:
        """Whether the resource that is there now makes room for a new one."""
        return self.action in {Action.REPLACED, Action.MAY_BE_REPLACED, Action.MOVED}


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionChange:
    """A parameter, an output or a setting of the stack that differs."""

    section: str
    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StackDiff:
    """One stack, before and after.

    :param resources_before: every resource, changed or not; likewise after. Ids are those of after.
    :param moved: logical ids before to those after.
    """

    before: Source | None
    after: Source | None
    resources_before: Mapping[str, Resource]
    resources_after: Mapping[str, Resource]
    changes: tuple[ResourceChange, ...] = ()
    sections: tuple[SectionChange, ...] = ()
    moved: Mapping[str, str] | None = None

    @property
    def source(self) -> Source:
        """The stack as it will be, or as it was where it goes."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def key(self) -> str:
        """Its path in the app."""
        return self.source.key

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not self.changes and not self.sections and self.before is not None and self.after is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssemblyDiff:
    """Two assemblies, stack by stack; stacks without a difference are left out.

    :param compared: how many pairs of stacks were looked at.
    """

    base: str
    head: str
    stacks: tuple[StackDiff, ...]
    compared: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not self.stacks

    def changes(self) -> Iterator[tuple[StackDiff, ResourceChange]]:
        """Every resource that differs, with its stack."""
        for stack in self.stacks:
            for change in stack.changes:
                yield stack, change


def shown(value: Any, limit: int = 120) -> str:
    """The value for a reader: one line, cut where it is long."""
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"

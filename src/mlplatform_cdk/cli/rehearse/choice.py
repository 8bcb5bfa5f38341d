"""Which of a rehearsal's scenarios somebody asked for."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from mlplatform_cdk.cli.console import CommandFailed


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Scenario = TypeVar("_Scenario", bound=_Named)


def chosen(names: Sequence[str] | None, scenarios: Sequence[_Scenario]) -> Sequence[_Scenario]:
    """Those of ``scenarios`` that ``names`` names, in their own order; all where it names none."""
    known = [one.name for one in scenarios]
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise CommandFailed(f"--scenario must be one of {', '.join(known)}, got {', '.join(unknown)}")
    return [one for one in scenarios if not names or one.name in names]

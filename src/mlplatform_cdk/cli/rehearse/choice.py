"""Which of a rehearsal's scenarios, and of an assembly's endpoints, somebody asked for."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from mlplatform_cdk.cli.console import CommandFailed


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class _Placed(Protocol):
    @property
    def endpoint(self) -> str: ...
    @property
    def region(self) -> str: ...


_Target = TypeVar("_Target", bound=_Placed)
_Scenario = TypeVar("_Scenario", bound=_Named)


def chosen(names: Sequence[str] | None, scenarios: Sequence[_Scenario]) -> Sequence[_Scenario]:
    """Those of ``scenarios`` that ``names`` names, in their own order; all where it names none."""
    known = [one.name for one in scenarios]
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise CommandFailed(f"--scenario must be one of {', '.join(known)}, got {', '.join(unknown)}")
    return [one for one in scenarios if not names or one.name in names]


def the_one(targets: Sequence[_Target], endpoint: str | None, region: str | None) -> _Target:
    """The only one of ``targets`` with this name in this region; None: any."""
    there = ", ".join(f"{one.endpoint} in {one.region}" for one in targets)
    named = [one for one in targets if endpoint in (None, one.endpoint) and region in (None, one.region)]
    if not named:
        got = " in ".join(one for one in (endpoint, region) if one)
        raise CommandFailed(f"--endpoint and --region must name one of {there}, got {got}")
    if len(named) > 1:
        raise CommandFailed(f"the assembly releases to {there}; name one by --endpoint, --region or both")
    return named[0]

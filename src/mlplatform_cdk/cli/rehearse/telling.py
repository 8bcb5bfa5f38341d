"""How a rehearsal's report reaches people, machines and the exit code."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import typer
from rich.console import Console

from mlplatform_cdk.cli.console import CLOSED, OUT, write


class _Report(Protocol):
    @property
    def held(self) -> bool: ...

    def to_json(self) -> str: ...


_Told = TypeVar("_Told", bound=_Report)


def tell(
    report: _Told,
    *,
    as_json: bool,
    html: Path | None,
    page: Callable[[_Told], str],
    show: Callable[[Console, _Told], None],
) -> None:
    """Write ``report`` as a page where one is wanted, print it, and end with 1 unless it held.

    :param page: makes a page of it.
    :param show: prints it for people.
    """
    if html is not None:
        write(html, page(report))
    if as_json:
        OUT.print(report.to_json(), markup=False, soft_wrap=True)
    else:
        show(OUT, report)
    if not report.held:
        raise typer.Exit(CLOSED)

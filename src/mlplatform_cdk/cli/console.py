"""How every verb speaks: results on stdout, progress and complaints on stderr."""

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)
CLOSED = 1  # the exit code of a verb that ran, and whose gate is closed
FAILED = 2  # of one that could not run, as of an option that there is not
_COLUMNS = 120  # of a file


class CommandFailed(Exception):
    """A verb could not do what was asked; the message is one sentence for the user."""


def write(output: Path, text: str) -> None:
    """Write a report where the user asked for it."""
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"the report cannot be written to {output}: {error.strerror}") from error


def check_place(output: Path | None, *others: Path) -> None:
    """Refuse a report that ``write`` could not write, before the work that it would tell.

    :param output: the report's file; None: none is written.
    :param others: what the work itself reads and writes.
    """
    if output and (output.is_dir() or not output.parent.is_dir()):
        raise CommandFailed(f"the report must be a file in a folder that exists, got {output}")
    if output and any(output.resolve().is_relative_to(one.resolve()) for one in others):
        raise CommandFailed(f"the report must lie outside what is read and written, got {output}")


def tell(show: Callable[[Console], None], text: str | None, output: Path | None) -> None:
    """Tell a report where the user asked for it.

    :param show: prints the terminal's form.
    :param text: another form; None for the terminal's.
    :param output: the file to hold it, while the terminal keeps its own form; default: none.
    """
    if output:
        write(output, _plain(show) if text is None else text)
    if output or text is None:
        show(OUT)
    else:
        typer.echo(text, nl=False)


def _plain(show: Callable[[Console], None]) -> str:
    text = StringIO()
    show(Console(file=text, width=_COLUMNS, color_system=None, highlight=False))
    return text.getvalue()


@contextmanager
def failures() -> Iterator[None]:
    """Print an expected failure as one sentence; anything else is a bug and keeps its traceback. Both are failures."""
    try:
        yield
    except CommandFailed as failure:
        ERR.print(f"[bold red]failed:[/] {escape(str(failure))}", soft_wrap=True)
        sys.exit(FAILED)
    except ModuleNotFoundError:
        raise  # `main` knows which extra brings it
    except Exception:  # noqa: BLE001 -- Python itself would exit with 1, which says that a gate is closed
        traceback.print_exc()
        sys.exit(FAILED)

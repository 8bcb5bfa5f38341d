"""What every comment on a pull request is made of: tables, folded blocks, text without HTML, and a length that fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlplatform_cdk.assembly.findings import Table

LIMIT = 65_000  # characters; the hosts refuse comments above 65,536


def fitted(blocks: Iterable[str]) -> str:
    """As many of the blocks as fit in one comment, and a last line that counts the others."""
    every = list(blocks)
    text = ""
    for index, block in enumerate(every):
        cut = f"_{len(every) - index} more sections do not fit in a comment: see the JSON report._\n"
        if len(text) + len(block) + len(cut) > LIMIT:
            return text + cut
        text += block + "\n"
    return text


def rows_of(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of GitHub-flavoured Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(flat(cell).replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def folded(title: str, body: str) -> str:
    """A block that opens on a click."""
    return f"<details><summary>{flat(title)}</summary>\n\n{body}\n\n</details>\n"


def folded_table(table: Table) -> str:
    """A table of facts under its title and number of rows."""
    note = f"{flat(table.note)}\n\n" if table.note else ""
    return folded(f"{table.title} ({len(table.rows)})", note + rows_of(table.columns, table.rows))


def flat(text: str) -> str:
    """One line without HTML."""
    return " ".join(text.split()).replace("<", "&lt;").replace(">", "&gt;")

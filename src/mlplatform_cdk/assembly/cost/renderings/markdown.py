"""The estimate as a comment on a pull request: one screen first, the rest folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.renderings.tables import (
    delta_headline,
    delta_summary,
    delta_tables,
    first_tables,
    headline,
    more_tables,
    summary,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mlplatform_cdk.assembly.cost.delta import Delta
    from mlplatform_cdk.assembly.cost.estimate import Estimate
    from mlplatform_cdk.assembly.findings import Table

LIMIT = 65_000  # characters; the hosts refuse comments above 65,536
_OPEN = 2  # tables that are not folded


def estimate_as_markdown(estimate: Estimate) -> str:
    """The estimate as GitHub-flavoured Markdown, short enough for one comment."""
    tables = first_tables(estimate)
    return _fitted(
        _page(headline(estimate), summary(estimate), tables[:_OPEN], (*tables[_OPEN:], *more_tables(estimate)))
    )


def delta_as_markdown(delta: Delta) -> str:
    """The difference first, the whole estimate of the new side folded below it."""
    tables = delta_tables(delta)
    folded = (*tables[1:], *first_tables(delta.head), *more_tables(delta.head))
    return _fitted(_page(delta_headline(delta), delta_summary(delta), tables[:1], folded))


def _page(title: str, sentences: Iterable[str], shown: Iterable[Table], folded: Iterable[Table]) -> Iterator[str]:
    yield f"### mlplatform cost: {_escaped(title)}\n"
    yield "".join(f"- {_escaped(sentence)}\n" for sentence in sentences)
    for table in shown:
        yield f"**{_escaped(table.title)}**\n\n{_table(table.columns, table.rows)}"
    for table in folded:
        note = f"{_escaped(table.note)}\n\n" if table.note else ""
        body = note + _table(table.columns, table.rows)
        yield f"<details><summary>{_escaped(table.title)} ({len(table.rows)})</summary>\n\n{body}\n</details>\n"


def _fitted(blocks: Iterable[str]) -> str:
    every = list(blocks)
    text = ""
    for index, block in enumerate(every):
        cut = f"_{len(every) - index} more sections do not fit in a comment: see the JSON._\n"
        if len(text) + len(block) + len(cut) > LIMIT:
            return text + cut
        text += block + "\n"
    return text


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(_escaped(cell).replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("<", "&lt;").replace(">", "&gt;")

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
from mlplatform_cdk.assembly.renderings.comments import fitted, flat, folded_table, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlplatform_cdk.assembly.cost.delta import Delta
    from mlplatform_cdk.assembly.cost.estimate import Estimate
    from mlplatform_cdk.assembly.findings import Table

_OPEN = 2  # tables that are not folded


def estimate_as_markdown(estimate: Estimate) -> str:
    """The estimate as GitHub-flavoured Markdown, short enough for one comment."""
    tables = first_tables(estimate)
    return fitted(
        _page(headline(estimate), summary(estimate), tables[:_OPEN], (*tables[_OPEN:], *more_tables(estimate)))
    )


def delta_as_markdown(delta: Delta) -> str:
    """The difference first, the whole estimate of the new side folded below it."""
    tables = delta_tables(delta)
    folded = (*tables[1:], *first_tables(delta.head), *more_tables(delta.head))
    return fitted(_page(delta_headline(delta), delta_summary(delta), tables[:1], folded))


def _page(title: str, sentences: Iterable[str], shown: Iterable[Table], folded: Iterable[Table]) -> Iterator[str]:
    yield f"### mlplatform cost: {flat(title)}\n"
    yield "".join(f"- {flat(sentence)}\n" for sentence in sentences)
    for table in shown:
        yield f"**{flat(table.title)}**\n\n{rows_of(table.columns, table.rows)}"
    for table in folded:
        yield folded_table(table)

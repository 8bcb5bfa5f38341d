"""The report of a rehearsal of regions as one HTML page, which needs nothing beside itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from mlplatform_cdk.local.rehearsal import report as pictures
from mlplatform_cdk.local.rehearsal.drawing import BLUE, FAILED, GREEN, draw
from mlplatform_cdk.local.rehearsal.page import STYLE
from mlplatform_cdk.local.rehearsal.regions.report import scaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplatform_cdk.local.rehearsal.regions.report import Counts, Outcome, RegionsReport, Second

_HEADS = (
    "scenario",
    "",
    "to the verdict",
    "to the name's shift",
    "last call by DNS",
    "back: verdict",
    "back: name",
    "by DNS: failed + wrong of sent",
    "by the helper",
    "right meanwhile",
    "instances of the other region",
)
_LEGEND = "".join(
    f'<span><i style="background:{colour}"></i>{what}</span>'
    for colour, what in (
        (BLUE, "answered by the region that is struck, each second"),
        (GREEN, "answered by the other"),
        (FAILED, "failed or wrong"),
    )
)
_WHAT_IT_IS = (
    "Probes, APIs and the model are the deployed ones; Route 53 is played by its documented rules, and the AWS is "
    "embedded: it shows nothing of AWS's own behaviour."
)


def page(report: RegionsReport) -> str:
    """The whole page."""
    held = sum(one.held for one in report.outcomes)
    verdict = f'<b class="{"good" if report.held else "bad"}">{held} of {len(report.outcomes)} scenarios held</b>'
    title = f"Rehearsal of {escape(report.domain)} in {escape(' and '.join(report.regions))}"
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    parts = (
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{title}</title><style>{STYLE}</style><h1>{title}</h1>",
        f"<p>{verdict} in {report.seconds:.0f} s; {report.rate:g} calls a second all the while.</p>",
        f'<p class="dim">{escape(report.clock)} {_WHAT_IT_IS}</p>',
        f"<table><tr>{heads}</tr>{''.join(map(_row, report.outcomes))}</table>",
        f'<p class="legend dim">{_LEGEND}</p>',
        *(_scenario(one) for one in report.outcomes),
        "</html>\n",
    )
    return "".join(parts)


def _row(outcome: Outcome) -> str:
    capacity = outcome.capacity
    cells = (
        f'<a href="#{outcome.name}">{escape(outcome.title)}</a>',
        _mark(outcome),
        _seconds(outcome.detect_s),
        _seconds(outcome.shift_s),
        _seconds(outcome.left_s),
        _seconds(outcome.well_s),
        _seconds(outcome.return_s),
        _bad(outcome.plain),
        _bad(outcome.client),
        f"{capacity.right / capacity.asked:.0%}" if capacity and capacity.asked else "&ndash;",
        escape(scaled(capacity)) or "&ndash;",
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _scenario(outcome: Outcome) -> str:
    return "".join(
        (
            f'<h2 id="{outcome.name}">{escape(outcome.title[:1].upper() + outcome.title[1:])} {_mark(outcome)}</h2>',
            *(f'<p class="bad">{escape(one)}</p>' for one in outcome.problems),
            f'<p class="dim">Calls by DNS alone:</p>{_picture(outcome, outcome.plain_by_second)}',
            f'<p class="dim">Calls by the client helper:</p>{_picture(outcome, outcome.client_by_second)}',
            *(f'<p class="dim">{count} x <code>{escape(text)}</code></p>' for text, count in outcome.failures.items()),
        )
    )


def _picture(outcome: Outcome, seconds: Sequence[Second]) -> str:
    """As a release is drawn: the region that is struck is blue, the other is green."""
    timeline = tuple(pictures.Second(at=one.at, blue=one.struck, green=one.other, failed=one.bad) for one in seconds)
    moments = tuple((at + outcome.struck_s, what) for at, what in outcome.moments if at + outcome.struck_s > 0)
    drawn = pictures.Outcome(
        name=outcome.name,
        title=outcome.title,
        version="",
        held=outcome.held,
        timeline=timeline,
        moments=(*moments, (outcome.struck_s, "the fault")),
    )
    return draw(drawn)


def _bad(counts: Counts | None) -> str:
    return "&ndash;" if counts is None else f"{counts.failed} + {counts.wrong} of {counts.sent}"


def _mark(outcome: Outcome) -> str:
    return '<span class="good">held</span>' if outcome.held else '<span class="bad">did not hold</span>'


def _seconds(value: float | None) -> str:
    return "&ndash;" if value is None else f"{value:.1f} s"

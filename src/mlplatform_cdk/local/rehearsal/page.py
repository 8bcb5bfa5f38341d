"""The report of a rehearsal as one HTML page, which needs nothing beside itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from mlplatform_cdk.local.rehearsal.drawing import LEGEND, draw
from mlplatform_cdk.local.rehearsal.findings import MOST_SECONDS_BACK

if TYPE_CHECKING:
    from mlplatform_cdk.local.rehearsal.report import Outcome, RehearsalReport

STYLE = """
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: #1b1f24; background: #fff;
  max-width: 66rem; margin: 2.5rem auto; padding: 0 1.5rem }
h1 { font-size: 1.6rem; margin: 0 0 .3rem } h2 { font-size: 1.15rem; margin: 2.2rem 0 .2rem }
p { margin: .2rem 0 .6rem } .dim { color: #656d76 } .bad { color: #b42318 } .good { color: #1a7f37 }
table { border-collapse: collapse; width: 100%; margin: 1.2rem 0; font-size: .87rem;
  font-variant-numeric: tabular-nums }
th { text-align: right; font-weight: 600; color: #656d76; border-bottom: 1px solid #d0d7de; padding: .35rem .5rem;
  vertical-align: bottom }
td { text-align: right; border-bottom: 1px solid #eaeef2; padding: .35rem .5rem }
th:first-child, td:first-child { text-align: left; padding-left: 0 }
td:nth-child(2), th:nth-child(2) { text-align: left }
td { white-space: nowrap }
a { color: inherit } svg { display: block; width: 100%; height: auto } .legend span { margin-right: 1.2rem }
.legend i { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; margin-right: .35rem;
  vertical-align: -1px }
code { font: .85rem ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere }
"""
_WHAT_IT_IS = (
    "The release is the deployed template's; the AWS that it ran on is embedded, and shows nothing of AWS's own "
    "behaviour."
)
_JUDGED = (
    f"Bold: what must be below {MOST_SECONDS_BACK:.0f} s. A fault that only hundreds of requests prove counts from its "
    "verdict."
)
_HEADS = (
    "scenario",
    "",
    "sent",
    "answered",
    "failed by green",
    "failed otherwise",
    "green at most",
    "from fault to green's last",
    "from verdict to green's last",
    "green's requests until proof",
    "took",
)


def page(report: RehearsalReport) -> str:
    """The whole page."""
    applied = [one for one in report.outcomes if one.held is not None]
    held = sum(bool(one.held) for one in applied)
    verdict = f'<b class="{"good" if report.held else "bad"}">{held} of {len(applied)} scenarios held</b>'
    title = f"Rehearsal of releases to {escape(report.endpoint)}"
    parts = (
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{title}</title><style>{STYLE}</style><h1>{title}</h1>",
        f"<p>{verdict} in {report.seconds:.0f} s; {report.rate:g} requests a second were asked all the while.</p>",
        f'<p class="dim">{escape(report.assembly)}. {escape(report.clock)} {_WHAT_IT_IS}</p>',
        _table(report),
        f'<p class="dim">{_JUDGED}</p>',
        f'<p class="legend dim">{LEGEND}</p>',
        *(_scenario(one) for one in report.outcomes),
        "</html>\n",
    )
    return "".join(parts)


def _table(report: RehearsalReport) -> str:
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    return f"<table><tr>{heads}</tr>{''.join(map(_row, report.outcomes))}</table>"


def _row(outcome: Outcome) -> str:
    counts = outcome.counts
    link = f'<a href="#{outcome.name}">{escape(outcome.title)}</a>'
    if counts is None:
        return f'<tr><td>{link}</td><td>{_mark(outcome)}</td><td colspan="9"></td></tr>'
    cells = (
        link,
        _mark(outcome),
        f"{counts.sent}",
        f"{counts.answered}",
        f"{counts.failed_by_green}",
        f"{counts.failed_otherwise}",
        f"{outcome.highest_share:g} %",
        *(_judged(outcome, since) for since in ("fault", "verdict")),
        "&ndash;" if outcome.proof_requests is None else f"{outcome.proof_requests}",
        f"{outcome.seconds:.1f} s",
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _scenario(outcome: Outcome) -> str:
    parts = [
        f'<h2 id="{outcome.name}">{escape(outcome.title[:1].upper() + outcome.title[1:])} {_mark(outcome)}</h2>',
        f'<p class="dim">The version: {escape(outcome.version)}.</p>',
        *(f'<p class="{"dim" if outcome.held is None else "bad"}">{escape(one)}</p>' for one in outcome.problems),
    ]
    if outcome.counts is not None:
        parts.append(draw(outcome))
    if outcome.ending:
        parts.append(f'<p class="dim"><code>{escape(outcome.ending)}</code></p>')
    parts += [f'<p class="dim">{times} x <code>{escape(text)}</code></p>' for text, times in outcome.failures.items()]
    return "".join(parts)


def _judged(outcome: Outcome, since: str) -> str:
    """The seconds since then; bold are those that must be short."""
    value = _seconds(outcome.from_fault_s if since == "fault" else outcome.from_verdict_s)
    return f"<b>{value}</b>" if outcome.counts_from == since and outcome.back_s is not None else value


def _mark(outcome: Outcome) -> str:
    if outcome.held is None:
        return '<span class="dim">not applicable</span>'
    return '<span class="good">held</span>' if outcome.held else '<span class="bad">did not hold</span>'


def _seconds(value: float | None) -> str:
    return "&ndash;" if value is None else f"{value:.1f} s"

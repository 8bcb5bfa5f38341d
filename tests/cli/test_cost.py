"""``mlplatform cost``: options, files and the sentences of its failures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlplatform_cdk.assembly.cost import live
from mlplatform_cdk.cli.console import CommandFailed
from mlplatform_cdk.cli.main import app
from tests.assembly.cost.conftest import prices, resource, write_assembly


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    return write_assembly(tmp_path / "cdk.out", {"App": {"Resources": {"Key": resource("AWS::KMS::Key")}}}, "us-east-1")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["cost", *map(str, arguments)])


def document(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


def committed(found: dict[str, Any]) -> str:
    return str(found["estimate"]["totals"]["committed"]["known"])


def test_an_assembly_is_priced_from_the_packaged_table(assembly: Path) -> None:
    assert committed(document(assembly)) == "1"
    assert "commits to $1.00 a month" in run(assembly).stdout


def test_a_difference_is_told_against_another_assembly(assembly: Path, tmp_path: Path) -> None:
    two = {"Key": resource("AWS::KMS::Key"), "Other": resource("AWS::KMS::Key")}
    bigger = write_assembly(tmp_path / "bigger", {"App": {"Resources": two}}, "us-east-1")

    assert document(bigger, "--against", assembly)["delta"]["committed"] == "1"
    assert "commits to +$1.00 a month" in run(bigger, "--against", assembly).stdout
    assert "### mlplatform cost: commits to +$1.00" in run(bigger, "--against", assembly, "-f", "markdown").stdout


def test_own_prices_and_use_change_the_figures(assembly: Path, tmp_path: Path) -> None:
    own, usage = tmp_path / "prices.json", tmp_path / "usage.yaml"
    price = {"item": "kms.key-month", "region": "us-east-1", "price": "0.5", "unit": "key and month", "source": "us"}
    table = {"version": 1, "currency": "USD", "sources": {"us": "our contract"}}
    own.write_text(json.dumps({**table, "prices": [{**price, "date": "2026-11"}]}))
    usage.write_text("version: 1\nmonth: {key_requests: 0}\n")

    found = document(assembly, "--prices", own, "--usage", usage)

    assert committed(found) == "0.5"
    assert found["estimate"]["totals"]["used"]["known"] == "0"


def test_a_stack_without_a_region_is_priced_in_the_one_that_is_named(tmp_path: Path) -> None:
    resources = {"Endpoint": resource("AWS::EC2::VPCEndpoint", VpcEndpointType="Interface", SubnetIds=["one"])}
    anywhere = write_assembly(tmp_path / "any", {"App": {"Resources": resources}}, "unknown-region")

    found = document(anywhere, "--region", "eu-central-1")

    assert committed(found) == "8.76"
    assert "without a region, so priced in eu-central-1: App" in found["estimate"]["assumptions"]


def test_the_report_goes_to_a_file_and_the_terminal_keeps_its_own_form(assembly: Path, tmp_path: Path) -> None:
    result = run(assembly, "--format", "markdown", "--output", tmp_path / "cost.md")

    assert (tmp_path / "cost.md").read_text().startswith("### mlplatform cost: commits to $1.00 a month")
    assert result.stdout.startswith("mlplatform cost")
    run(assembly, "--output", tmp_path / "cost.txt")
    assert (tmp_path / "cost.txt").read_text().startswith("mlplatform cost")


def test_live_prices_come_before_the_packaged(assembly: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def answer(_: object, needed: Any) -> Any:
        asked.extend(sorted(needed))
        return prices({"kms.key-month": "2"}, "us-east-1")

    monkeypatch.setattr(live, "live_prices", answer)

    found = document(assembly, "--live")

    assert committed(found) == "2"
    assert asked == [("kms.key-month", "us-east-1"), ("kms.request", "us-east-1")]
    assert found["estimate"]["totals"]["used"]["known"] == "0.3"


def test_live_without_credentials_is_one_sentence(assembly: Path) -> None:
    failure = run(assembly, "--live").exception

    assert isinstance(failure, CommandFailed)
    assert str(failure).startswith("the Pricing API gave no prices: ")


def test_a_folder_that_is_no_assembly_is_one_sentence(tmp_path: Path) -> None:
    failure = run(tmp_path / "absent").exception

    assert isinstance(failure, CommandFailed)
    assert "does not exist" in str(failure)


def test_stages_of_two_names_are_paired_on_demand(tmp_path: Path) -> None:
    stages = {name: {f"{name}/Data": {"Resources": {"Key": resource("AWS::KMS::Key")}}} for name in ("Dev", "Prod")}
    dev, prod = (write_assembly(tmp_path / name, stacks, "us-east-1") for name, stacks in stages.items())

    assert "--pair BASE=HEAD compares stages of two names" in run(prod, "--against", dev).stdout
    assert document(prod, "--against", dev, "--pair", "Dev=Prod")["delta"]["changes"] == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--pair", "Dev"], "--pair must be name=name, got 'Dev'"),
        (["--pair", "Dev=Prod"], "--pair needs --against"),
        (["--against", ".", "--pair", "Dev=Prod"], "base has no stage or stack 'Dev'; it has: App"),
    ],
)
def test_a_pair_that_cannot_be_is_one_sentence(assembly: Path, options: list[str], sentence: str) -> None:
    failure = run(assembly, *(str(assembly) if option == "." else option for option in options)).exception

    assert isinstance(failure, CommandFailed)
    assert str(failure).startswith(sentence)


def test_a_stack_without_a_readable_environment_is_named(assembly: Path) -> None:
    manifest = assembly / "manifest.json"
    manifest.write_text(manifest.read_text().replace("aws://unknown-account/us-east-1", "us-east-1"))

    failure = run(assembly).exception

    assert isinstance(failure, CommandFailed)
    assert str(failure) == "the environment of the stack App must read aws://<account>/<region>, got 'us-east-1'"


@pytest.mark.parametrize("option", ["--usage", "--prices"])
def test_a_folder_where_a_file_belongs_is_one_sentence(assembly: Path, tmp_path: Path, option: str) -> None:
    failure = run(assembly, option, tmp_path).exception

    assert isinstance(failure, CommandFailed)
    assert f"{tmp_path} is a folder" in str(failure)

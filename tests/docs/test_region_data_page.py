"""Does docs/region-data.md say what is?"""

import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_ec2 as ec2

from mlplatform_cdk.assembly.check import check
from mlplatform_cdk.foundation import Network
from mlplatform_cdk.routing import Consistency, RegionalData, RegionalTable
from mlplatform_cdk.routing.replication import images, store
from mlplatform_cdk.serving import Endpoint

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "region-data.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def beside(stack: Any, made: dict[str, object]) -> None:
    """What the page's later programs find: an endpoint and a network."""
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-12345678",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        isolated_subnet_ids=["subnet-12345678", "subnet-87654321"],
        isolated_subnet_route_table_ids=["rtb-12345678", "rtb-87654321"],
    )
    made["network"] = Network.from_vpc(stack, "Network", vpc=vpc)
    made["endpoint"] = Endpoint.from_endpoint_name(stack, "Endpoint", "churn")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the page's programs have made, synthesized."""
    made: dict[str, object] = {"folder": tmp_path_factory.mktemp("page")}
    first, *more = PROGRAMS
    exec(first.replace("App()", "App(outdir=str(folder))"), made)
    beside(made["stack"], made)
    for program in more:
        exec(program.replace('"examples/', f'"{ROOT}/examples/'), made)
    made["app"].synth()  # type: ignore[attr-defined]
    return made


def test_the_program_passes_mlplatform_check(names: dict[str, object]) -> None:
    report = check(Path(str(names["folder"])), workers=1)

    assert [str(finding) for finding in report.findings] == []


def test_the_names_of_the_page_are_those_of_the_plan(names: dict[str, object]) -> None:
    plan = names["plan"]
    assert isinstance(plan, RegionalData)

    for name in (plan.bucket_name("us-east-1"), plan.role_name, plan.key_alias, plan.table_name("answered")):
        assert f"| `{name}` |" in PAGE
    assert isinstance(names["answered"], RegionalTable)


def test_the_figures_of_the_page_are_those_of_the_code() -> None:
    assert f"above {store.LATEST_S} seconds for {store._PERIODS} minutes" in PAGE
    assert f"At most {images._MOST_DESTINATIONS}\ndestinations and {images._MOST_FILTERS} prefixes" in PAGE
    for mode in ("eventual", "strong"):
        assert hasattr(Consistency, mode)
        assert f"`Consistency.{mode}()`" in PAGE


def test_the_tests_of_the_page_are_there() -> None:
    root = Path(__file__).parents[2]
    named = re.findall(r"`(tests/[\w/.]+)`", PAGE)

    assert named
    assert all((root / one).exists() for one in named)

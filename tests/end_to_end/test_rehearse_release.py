"""Does `mlplatform local rehearse release` hold what a release promises, on an assembly of somebody's own?"""

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, RemovalPolicy, Stack

from mlplatform_cdk.foundation import ArtifactStore, Keys, PlatformStack
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease, Strategy, VerdictRules
from mlplatform_cdk.serving import ReleasedEndpoint

PROGRAM = Path(sys.executable).with_name("mlplatform")
CHOSEN = ("good", "erring", "stopped")
# Half of the traffic, then all of it. Other tests run beside this one: what that does to latency and load is no fault.
# One error in 2,000 requests is too many, so that few requests tell one in a hundred.
RULES = VerdictRules(
    minimum_requests=50,
    most_errors=0.0005,
    latency_p99_ms=10_000,
    latency_ratio_to_blue=None,
    cpu_percent=None,
    memory_percent=None,
)
STRATEGY = Strategy.canary(
    50,
    observe=timedelta(minutes=5),
    look_every=timedelta(seconds=30),
    bake=timedelta(seconds=60),
    rules=RULES,
)


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assembly") / "cdk.out"
    app = App(outdir=str(folder))
    stack = PlatformStack(app, "Churn", env=Environment(account="111122223333", region="eu-west-1"))
    key = Keys(stack, "Keys", removal_policy=RemovalPolicy.DESTROY).data
    artifacts = ArtifactStore(stack, "Artifacts", key=key, removal_policy=RemovalPolicy.DESTROY)
    BlueGreenRelease(
        stack,
        "Release",
        endpoint=ReleasedEndpoint(stack, "Endpoint", endpoint_name="churn", artifacts=artifacts, key=key),
        registry=ModelRegistry(stack, "Models", model_package_group_name="churn", removal_policy=RemovalPolicy.DESTROY),
        artifacts=artifacts,
        strategy=STRATEGY,
    )
    app.synth()
    return folder


@pytest.fixture(scope="module")
def rehearsed(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, Any], str, int]:
    """The report, the page, and the exit code."""
    page = tmp_path_factory.mktemp("page") / "rehearsal.html"
    chosen = [argument for name in (*CHOSEN, "rejected") for argument in ("--scenario", name)]
    ended = subprocess.run(
        [PROGRAM, "local", "rehearse", "release", assembly, "--json", "--html", page, *chosen],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout, ended.stderr
    return json.loads(ended.stdout), page.read_text(), ended.returncode


@pytest.fixture
def outcomes(rehearsed: tuple[Mapping[str, Any], str, int]) -> dict[str, Mapping[str, Any]]:
    return {one["name"]: one for one in rehearsed[0]["outcomes"]}


@pytest.mark.parametrize("name", CHOSEN)
def test_a_scenario_holds(outcomes: Mapping[str, Mapping[str, Any]], name: str) -> None:
    assert outcomes[name]["held"], (outcomes[name]["problems"], outcomes[name]["ending"])


def test_the_exit_code_is_0_when_every_scenario_held(rehearsed: tuple[Mapping[str, Any], str, int]) -> None:
    report, _, code = rehearsed

    assert (report["held"], code) == (True, 0)
    assert report["endpoint"] == "churn"


def test_a_good_version_reaches_all_callers_and_fails_none(outcomes: Mapping[str, Mapping[str, Any]]) -> None:
    good = outcomes["good"]

    assert good["highest_share"] == 100
    assert good["counts"]["failed"] == 0
    assert good["counts"]["wrong"] == 0
    assert good["counts"]["by_green"] > 0


def test_a_version_that_errs_is_taken_back_for_its_errors(outcomes: Mapping[str, Mapping[str, Any]]) -> None:
    erring = outcomes["erring"]

    assert erring["counts"]["failed"] == erring["counts"]["failed_by_green"] > 0
    assert erring["fault_s"] < erring["verdict_s"]


def test_a_stopped_execution_is_brought_back(outcomes: Mapping[str, Mapping[str, Any]]) -> None:
    stopped = outcomes["stopped"]

    assert stopped["ending"].startswith("ABORTED: OperatorError: ")
    assert stopped["counts"]["failed"] == 0
    assert stopped["shares"][-1][1] == 0


def test_a_gate_that_there_is_not_is_no_failure(outcomes: Mapping[str, Mapping[str, Any]]) -> None:
    assert outcomes["rejected"]["held"] is None
    assert outcomes["rejected"]["problems"] == ["no gate: the release asks nobody"]


def test_the_page_shows_each_scenario(rehearsed: tuple[Mapping[str, Any], str, int]) -> None:
    _, page, _ = rehearsed

    assert "3 of 3 scenarios held" in page
    assert page.count("<svg") == len(CHOSEN)


def test_a_scenario_that_there_is_not_and_an_assembly_without_a_release_are_told_in_a_sentence(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path / "empty"))
    Stack(app, "Empty")
    app.synth()

    for arguments, sentence in (
        (("--scenario", "lightning"), "--scenario must be one of good, wrong, slow"),
        ((tmp_path / "empty",), "must hold a release, such as BlueGreenRelease makes it, got none"),
    ):
        ended = subprocess.run(
            [PROGRAM, "local", "rehearse", "release", *arguments], capture_output=True, text=True, check=False
        )
        assert ended.returncode == 2
        assert sentence in ended.stderr.replace("\n", " ")

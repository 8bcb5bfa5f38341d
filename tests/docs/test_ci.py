"""Does the page on CI show what is?"""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/ci.md").read_text()
WORKFLOW = yaml.safe_load((ROOT / "src/mlplatform_cdk/cli/init_files/github-workflow.yml").read_text())


def fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_pipeline_shown_is_that_of_the_example() -> None:
    (shown,) = fences("python")

    assert shown in (ROOT / "examples/delivery.py").read_text()


def test_the_jobs_shown_are_those_of_the_workflow() -> None:
    shown = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)

    assert shown == list(WORKFLOW["jobs"])


def test_the_commands_shown_are_those_of_the_workflow() -> None:
    shown = [
        re.sub(r"\bbase-prod\b", '"$RUNNER_TEMP/base-prod"', line)
        for line in "".join(fences("sh")).splitlines()
        if re.match(r"mlplatform (check|diff|cost) ", line)
    ]

    assert shown == [
        " ".join(step["run"].split())
        for step in WORKFLOW["jobs"]["check"]["steps"]
        if re.match(r"mlplatform (check|diff|cost) ", step.get("run", ""))
    ]


def test_the_role_shown_trusts_one_environment_of_one_repository_and_deploys_only_through_bootstrap_roles() -> None:
    trust, permission = map(json.loads, fences("json"))

    conditions = trust["Condition"]["StringEquals"]
    assert conditions["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    assert conditions["token.actions.githubusercontent.com:sub"].endswith(":environment:prod")
    assert {"name": "Deploy"}.items() <= WORKFLOW["jobs"]["deploy"]["steps"][-1].items()
    assert permission["Action"] == "sts:AssumeRole"
    assert permission["Resource"] == "arn:aws:iam::ACCOUNT:role/cdk-hnb659fds-*-ACCOUNT-REGION"

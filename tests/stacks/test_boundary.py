"""Can an organization bound every role that the platform makes?"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from stacks.environments import BY_NAME
from stacks.stage import PlatformStage

ROOT = Path(__file__).parents[2]


def roles(environment: str, outdir: Path, **options: str) -> dict[str, Any]:
    app = App(context=json.loads((ROOT / "cdk.json").read_text())["context"], outdir=str(outdir))
    PlatformStage(app, "Platform", environment=replace(BY_NAME[environment], **options))
    app.synth()
    return {
        f"{path.name.split('.')[0]}/{logical_id}": resource["Properties"].get("PermissionsBoundary")
        for path in outdir.glob("*/*.template.json")
        for logical_id, resource in json.loads(path.read_text())["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
    }


@pytest.mark.parametrize("environment", sorted(BY_NAME))
def test_a_permissions_boundary_is_on_every_role_of_every_stack(environment: str, tmp_path: Path) -> None:
    found = roles(environment, tmp_path, permissions_boundary="developers")
    account = BY_NAME[environment].account

    assert len(found) > 10
    assert {name: got for name, got in found.items() if got != f"arn:aws:iam::{account}:policy/developers"} == {}


def test_no_role_has_a_permissions_boundary_unless_asked(tmp_path: Path) -> None:
    assert set(roles("dev", tmp_path).values()) == {None}

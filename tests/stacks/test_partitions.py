"""Does the platform deploy outside AWS's commercial regions?"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from aws_cdk import App

from stacks.environments import PROD
from stacks.stage import PlatformStage

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("region", "partition"), [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")])
def test_every_arn_is_of_the_regions_partition(region: str, partition: str, tmp_path: Path) -> None:
    app = App(context=json.loads((ROOT / "cdk.json").read_text())["context"], outdir=str(tmp_path))
    PlatformStage(app, "Platform", environment=replace(PROD, region=region))

    app.synth()

    templates = {path.name: path.read_text() for path in tmp_path.glob("*/*.template.json")}
    assert templates
    assert [name for name, text in templates.items() if "arn:aws:" in text] == []
    assert any(f"arn:{partition}:" in text for text in templates.values())

"""A cloud assembly as CDK writes it, of one stage with two stacks, by hand: no jsii needed to read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def write(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))


def stack(name: str, dependencies: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/eu-central-1",
        "properties": {"templateFile": f"{name}.template.json", "stackName": f"Try-{name}", **properties},
        "dependencies": dependencies,
        "displayName": f"Try/{name}",
    }


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The assembly's folder."""
    write(
        tmp_path / "manifest.json",
        {
            "artifacts": {
                "assembly-Try": {
                    "type": "cdk:cloud-assembly",
                    "properties": {"directoryName": "assembly-Try", "displayName": "Try"},
                },
                "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
            }
        },
    )
    stage = tmp_path / "assembly-Try"
    write(
        stage / "manifest.json",
        {
            "artifacts": {
                "B": stack("B", ["A", "B.assets"], parameters={"Size": "2"}, tags={"team": "ml"}),
                "B.assets": {"type": "cdk:asset-manifest", "properties": {"file": "B.assets.json"}},
                "A": stack("A", [], terminationProtection=True),
            }
        },
    )
    (tmp_path / "asset.code").mkdir()
    (tmp_path / "asset.image").mkdir()
    for name in ("A", "B"):
        write(stage / f"{name}.template.json", {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    where = {"here": {"bucketName": "assets-${AWS::AccountId}-${AWS::Region}", "objectKey": "code.zip"}}
    image = {"here": {"repositoryName": "images-${AWS::AccountId}", "imageTag": "one"}}
    write(
        stage / "B.assets.json",
        {
            "files": {"code": {"source": {"path": "../asset.code", "packaging": "zip"}, "destinations": where}},
            "dockerImages": {
                "image": {
                    "source": {
                        "directory": "../asset.image",
                        "dockerFile": "x/Dockerfile",
                        "dockerBuildArgs": {"A": "1"},
                    },
                    "destinations": image,
                }
            },
        },
    )
    return tmp_path

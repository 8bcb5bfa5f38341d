"""What would be deployed, in which order, with what beside it?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlplatform_cdk import assembly
from mlplatform_cdk.assembly import AssemblyError


def test_stacks_come_after_those_that_they_depend_on(directory: Path) -> None:
    assert [stack.name for stack in assembly.read(directory).stage("Try").stacks] == ["Try-A", "Try-B"]


def test_the_stacks_of_all_stages_are_the_assemblys(directory: Path) -> None:
    assert [stack.id for stack in assembly.read(directory).all_stacks()] == ["A", "B"]


def test_stacks_of_one_id_in_two_stages_are_two(directory: Path) -> None:
    manifest = directory / "manifest.json"
    document = json.loads(manifest.read_text())
    (stage,) = (one for one in document["artifacts"].values() if one["type"] == "cdk:cloud-assembly")
    document["artifacts"]["again"] = stage
    manifest.write_text(json.dumps(document))

    assert [stack.id for stack in assembly.read(directory).all_stacks()] == ["A", "B", "A", "B"]


def test_a_stack_knows_its_place_parameters_tags_and_protection(directory: Path) -> None:
    protected, parametrized = assembly.read(directory).stage("Try").stacks

    assert (protected.account, protected.region) == (None, "eu-central-1")
    assert protected.termination_protection
    assert parametrized.parameters == {"Size": "2"}
    assert parametrized.tags == {"team": "ml"}
    assert parametrized.template["Resources"]["Topic"]["Type"] == "AWS::SNS::Topic"


def test_assets_lie_where_the_deploying_account_and_the_stacks_region_say(directory: Path) -> None:
    (file,), (image,) = assembly.read(directory).stage("Try").stacks[1].assets(account="1", region="us-east-1")

    assert (file.bucket, file.key, file.zipped) == ("assets-1-eu-central-1", "code.zip", True)
    assert file.path == (directory / "asset.code").resolve()
    assert (image.repository, image.tag, image.dockerfile) == ("images-1", "one", "x/Dockerfile")
    assert image.build_arguments == {"A": "1"}


def test_an_unknown_stage_is_answered_with_those_that_there_are(directory: Path) -> None:
    with pytest.raises(AssemblyError, match="no stage 'Tyr'; its stages are: Try"):
        assembly.read(directory).stage("Tyr")


def test_a_folder_without_an_assembly_says_to_synthesize(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match=r"does not exist.*synthesize first"):
        assembly.read(tmp_path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("{", "is not the JSON", id="broken"),
        pytest.param("[]", "must hold a JSON object", id="another kind of JSON"),
        pytest.param("{}", "has no 'artifacts'", id="another tool's manifest"),
    ],
)
def test_a_manifest_that_is_none_is_named(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(AssemblyError, match=problem):
        assembly.read(tmp_path)


def test_an_asset_that_is_gone_is_named(directory: Path) -> None:
    (directory / "asset.code").rmdir()

    with pytest.raises(AssemblyError, match=r"asset\.code, which does not exist"):
        assembly.read(directory).stage("Try").stacks[1].assets(account="1", region="us-east-1")


def test_stacks_that_need_one_another_are_named(directory: Path) -> None:
    manifest = directory / "assembly-Try" / "manifest.json"
    document = json.loads(manifest.read_text())
    document["artifacts"]["A"]["dependencies"] = ["B"]
    manifest.write_text(json.dumps(document))

    with pytest.raises(AssemblyError, match=r"in a circle"):
        assembly.read(directory)

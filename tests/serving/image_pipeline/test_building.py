"""Is an image there when a deployment goes on, and is CloudFormation always answered?"""

from typing import Any

import pytest

from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.serving.image_pipeline.build_steps import build_spec
from mlplatform_cdk.serving.image_pipeline.runtime import build
from mlplatform_cdk.serving.image_pipeline.runtime.handler import handle
from tests.serving.conftest import Context


class CodeBuild:
    """A build that goes through ``statuses``."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)
        self.started: list[dict[str, Any]] = []
        self.stopped: list[str] = []

    def start_build(self, **request: Any) -> dict[str, Any]:
        self.started.append(request)
        return {"build": {"id": "project:1"}}

    def batch_get_builds(self, ids: list[str]) -> dict[str, Any]:
        assert ids == ["project:1"]
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return {"builds": [{"buildStatus": status}]}

    def stop_build(self, id: str) -> None:
        self.stopped.append(id)


def deploy(
    monkeypatch: pytest.MonkeyPatch, codebuild: CodeBuild, url: str, kind: str = "Update", seconds: float = 900
) -> None:
    monkeypatch.setattr(aws, "client", {"codebuild": codebuild}.__getitem__)
    monkeypatch.setattr(build, "_POLL_S", 0.001)
    event = {
        "RequestType": kind,
        "ResponseURL": url,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Image",
        "PhysicalResourceId": "image/project",
        "ResourceProperties": {"Project": "project", "Variables": {"TAG": "abc", "RUN_AS": "0:0"}},
    }
    handle(event, Context(seconds))


def test_cloudformation_goes_on_when_the_image_is_there(
    monkeypatch: pytest.MonkeyPatch, cloudformation: tuple[str, list[dict[str, Any]]]
) -> None:
    url, answers = cloudformation
    codebuild = CodeBuild("IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED")

    deploy(monkeypatch, codebuild, url)

    (started,) = codebuild.started
    assert started["projectName"] == "project"
    assert {one["name"]: one["value"] for one in started["environmentVariablesOverride"]} == {
        "TAG": "abc",
        "RUN_AS": "0:0",
    }
    assert [(one["Status"], one["Data"], one["PhysicalResourceId"]) for one in answers] == [
        ("SUCCESS", {"Tag": "abc"}, "image/project")
    ]


@pytest.mark.parametrize(
    ("status", "seconds", "reason"),
    [
        ("FAILED", 900, r"build project:1 must succeed, got FAILED; read its log in CodeBuild"),
        ("IN_PROGRESS", 30, r"build project:1 must end within 14 minutes, and was stopped; read its log in CodeBuild"),
    ],
)
def test_a_deployment_fails_with_its_build(
    monkeypatch: pytest.MonkeyPatch,
    cloudformation: tuple[str, list[dict[str, Any]]],
    status: str,
    seconds: float,
    reason: str,
) -> None:
    url, answers = cloudformation
    codebuild = CodeBuild(status)

    deploy(monkeypatch, codebuild, url, seconds=seconds)

    assert [(one["Status"], one["Reason"]) for one in answers] == [("FAILED", reason)]
    assert codebuild.stopped == (["project:1"] if status == "IN_PROGRESS" else [])


def test_a_deleted_stack_keeps_its_images_and_builds_nothing(
    monkeypatch: pytest.MonkeyPatch, cloudformation: tuple[str, list[dict[str, Any]]]
) -> None:
    url, answers = cloudformation
    codebuild = CodeBuild("SUCCEEDED")

    deploy(monkeypatch, codebuild, url, kind="Delete")

    assert codebuild.started == []
    assert [one["Status"] for one in answers] == ["SUCCESS"]


def test_an_unexpected_error_reaches_cloudformation_too(
    monkeypatch: pytest.MonkeyPatch, cloudformation: tuple[str, list[dict[str, Any]]]
) -> None:
    url, answers = cloudformation

    deploy(monkeypatch, CodeBuild(), url)

    assert [one["Status"] for one in answers] == ["FAILED"]
    assert answers[0]["Reason"].startswith("building image abc failed: ")


def test_the_image_is_no_index_which_sagemaker_would_not_pull() -> None:
    (command,) = [one for one in build_spec()["phases"]["build"]["commands"] if one.startswith("docker buildx")]

    assert "--provenance=false --sbom=false" in command

"""Is an image there when a deployment goes on, and is CloudFormation always answered?"""

import os
import subprocess
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.serving.image_pipeline.build_steps import build_spec
from mlplatform_cdk.serving.image_pipeline.runtime import build, signing
from mlplatform_cdk.serving.image_pipeline.runtime.handler import handle
from tests.serving.conftest import Context

VARIABLES = {
    "CONTEXT": "bucket/key.zip",
    "DOCKERFILE": "Dockerfile",
    "PLATFORM": "linux/arm64",
    "REPOSITORY": "123.dkr.ecr.eu-west-1.amazonaws.com/mlplatform/serving",
    "RUN_AS": "0:0",
    "TAG": "abc",
}


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


SIGNED = [{"status": "COMPLETE"}]
UNDER_WAY = [{"status": "IN_PROGRESS"}]


class Ecr:
    """ECR's own model of the call, with ``answers`` in place of the service; the last one stays."""

    def __init__(self, *answers: list[dict[str, str]]) -> None:
        self.client = botocore.session.Session().create_client("ecr", region_name="eu-west-1")
        self.answers = list(answers)

    def describe_image_signing_status(self, **request: Any) -> Any:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        expected = {"repositoryName": "mlplatform/serving", "imageId": {"imageTag": "abc"}}
        with Stubber(self.client) as stub:
            stub.add_response("describe_image_signing_status", {"signingStatuses": answer}, expected)
            return self.client.describe_image_signing_status(**request)


def deploy(
    monkeypatch: pytest.MonkeyPatch,
    codebuild: CodeBuild,
    url: str,
    kind: str = "Update",
    seconds: float = 900,
    signatures: tuple[list[dict[str, str]], ...] = (SIGNED,),
) -> None:
    monkeypatch.setattr(aws, "client", {"codebuild": codebuild, "ecr": Ecr(*signatures)}.__getitem__)
    monkeypatch.setattr(build, "_POLL_S", 0.001)
    monkeypatch.setattr(signing, "_POLL_S", 0.001)
    monkeypatch.setattr(signing, "_LONGEST_S", 0.1)
    event = {
        "RequestType": kind,
        "ResponseURL": url,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Image",
        "PhysicalResourceId": "image/project",
        "ResourceProperties": {
            "Project": "project",
            "Variables": {"TAG": "abc", "REPOSITORY": VARIABLES["REPOSITORY"]},
        },
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
        "REPOSITORY": VARIABLES["REPOSITORY"],
    }
    assert [(one["Status"], one["PhysicalResourceId"]) for one in answers] == [("SUCCESS", "image/project")]


def test_what_another_stack_may_import_never_changes(
    monkeypatch: pytest.MonkeyPatch, cloudformation: tuple[str, list[dict[str, Any]]]
) -> None:
    url, answers = cloudformation

    deploy(monkeypatch, CodeBuild("SUCCEEDED"), url)

    assert [one["Data"] for one in answers] == [{"Repository": VARIABLES["REPOSITORY"]}]


def test_a_deployment_waits_until_the_image_is_signed(
    monkeypatch: pytest.MonkeyPatch, cloudformation: tuple[str, list[dict[str, Any]]]
) -> None:
    url, answers = cloudformation

    deploy(monkeypatch, CodeBuild("SUCCEEDED"), url, signatures=([], UNDER_WAY, [*SIGNED, *UNDER_WAY], SIGNED))

    assert [one["Status"] for one in answers] == ["SUCCESS"]


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        pytest.param(
            [*SIGNED, {"status": "FAILED", "failureCode": "AccessDenied", "failureReason": "no signer:SignPayload"}],
            "mlplatform/serving:abc must be signed, got FAILED (AccessDenied, no signer:SignPayload); see to",
            id="failed",
        ),
        pytest.param(UNDER_WAY, "must be signed within three minutes, got ['IN_PROGRESS']; see to", id="too late"),
        pytest.param([], "must be signed within three minutes, got no status; see to", id="never asked for"),
    ],
)
def test_a_deployment_fails_with_the_signature(
    monkeypatch: pytest.MonkeyPatch,
    cloudformation: tuple[str, list[dict[str, Any]]],
    signature: list[dict[str, str]],
    reason: str,
) -> None:
    url, answers = cloudformation

    deploy(monkeypatch, CodeBuild("SUCCEEDED"), url, signatures=(signature,))

    assert [one["Status"] for one in answers] == ["FAILED"]
    assert reason in answers[0]["Reason"]
    assert "delete the image in ECR, and deploy again" in answers[0]["Reason"]


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


DOCKER, OCI = "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.manifest.v1+json"


def build_in(
    folder: Path, *, present: bool, fails: str = "nothing", format_: str = DOCKER, **variables: str
) -> tuple[int, list[str]]:
    """As CodeBuild runs commands, until one fails, whatever shell an ``exit`` ends; the programs tell their calls."""
    programs = {
        "aws": f'case "$*" in *MediaType*) echo {format_};; *describe-images*) exit {int(not present)};; '
        "*login*) echo secret;; esac",
        "docker": 'case "$*" in *--password-stdin*) cat > /dev/null;; esac',
        "unzip": "mkdir -p context",
    }
    for name, does in programs.items():
        program = folder / name
        told = f'echo "{name} $*" >> calls; case "{name} $*" in *"{fails}"*) exit 3;; esac'
        program.write_text(f"#!/bin/sh\n{told}\n{does}\n")
        program.chmod(0o755)
    environment = {"PATH": f"{folder}:{os.defpath}", **VARIABLES, **variables}
    ended = 0
    for command in build_spec()["phases"]["build"]["commands"]:
        ended = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, check=False).returncode
        if ended:
            break
    return ended, (folder / "calls").read_text().splitlines()


def test_the_image_is_built_for_its_platform_and_pushed(tmp_path: Path) -> None:
    ended, calls = build_in(tmp_path, present=False, BASE_IMAGE="b@sha256:1")

    assert ended == 0
    (built,) = [one for one in calls if one.startswith("docker buildx")]
    assert "--platform linux/arm64 --file context/Dockerfile --build-arg RUN_AS=0:0" in built
    assert "--build-arg BASE_IMAGE=b@sha256:1" in built
    assert "REQUIREMENTS" not in built
    assert calls[-2] == f"docker push --quiet {VARIABLES['REPOSITORY']}:abc"


def test_an_image_that_is_there_already_is_neither_built_nor_pushed_again(tmp_path: Path) -> None:
    ended, calls = build_in(tmp_path, present=True)

    assert ended == 0
    assert [one.split()[:3] for one in calls] == [["aws", "ecr", "describe-images"]] * 2


@pytest.mark.parametrize("step", ["aws s3 cp", "unzip", "get-login-password", "docker login", "docker buildx"])
def test_nothing_is_pushed_after_a_step_that_failed(step: str, tmp_path: Path) -> None:
    ended, calls = build_in(tmp_path, present=False, fails=step)

    assert ended != 0
    assert not [one for one in calls if one.startswith("docker push")]


def test_the_image_is_no_index_which_sagemaker_would_not_pull(tmp_path: Path) -> None:
    _, calls = build_in(tmp_path, present=False, REQUIREMENTS="requirements-openvino.txt")

    (built,) = [one for one in calls if one.startswith("docker buildx")]
    assert "--provenance=false --sbom=false" in built
    assert "--build-arg REQUIREMENTS=requirements-openvino.txt" in built


def test_the_image_has_dockers_media_types_whatever_store_docker_keeps_it_in(tmp_path: Path) -> None:
    _, calls = build_in(tmp_path, present=False)

    (built,) = [one for one in calls if one.startswith("docker buildx")]
    assert "--output type=image,oci-mediatypes=false" in built
    assert "--load" not in built


@pytest.mark.parametrize("built", [{"present": False}, {"present": True}], ids=["pushed now", "there already"])
def test_a_build_fails_over_an_image_that_sagemaker_would_refuse(built: dict[str, bool], tmp_path: Path) -> None:
    ended, _ = build_in(tmp_path, present=built["present"], format_=OCI)

    assert ended != 0

"""Do AWS's own clients find the registered model, and do they all get the same answer of it?"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.local.settings import client_environment
from tests.end_to_end.rehearsal import Rehearsal

pytestmark = pytest.mark.conformance


@pytest.fixture
def group(rehearsal: Rehearsal) -> str:
    return rehearsal.platform.parameter("registry/model-package-group")


@pytest.fixture
def endpoint(rehearsal: Rehearsal) -> str:
    return rehearsal.platform.parameter("serving/endpoint-name")


@pytest.fixture
def request_body(rehearsal: Rehearsal) -> str:
    return json.dumps({"instances": [rehearsal.features()]})


@pytest.fixture
def expected(rehearsal: Rehearsal, group: str, endpoint: str, request_body: str) -> dict[str, Any]:
    """What boto3 sees."""
    listed = rehearsal.client("sagemaker").list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    answer = rehearsal.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="application/json", Body=request_body
    )
    return {"models": models_in(listed), "answer": json.loads(answer["Body"].read())}


def models_in(summaries: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [{"arn": one["ModelPackageArn"], "approval": one["ModelApprovalStatus"]} for one in summaries]


def output_of(rehearsal: Rehearsal, *command: str) -> Any:
    ended = subprocess.run(
        command,
        env=client_environment(rehearsal.settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_boto3_lists_the_model_and_gets_its_answer(expected: dict[str, Any], rehearsal: Rehearsal) -> None:
    assert rehearsal.report.model is not None
    assert {"arn": rehearsal.report.model.arn, "approval": "Approved"} in expected["models"]
    assert expected["answer"]["labels"] == [rehearsal.report.predictions[0].predicted]


def test_the_aws_cli_sees_what_boto3_sees(
    rehearsal: Rehearsal, group: str, endpoint: str, request_body: str, expected: dict[str, Any], tmp_path: Path
) -> None:
    aws = str(Path(sys.executable).parent / "aws")
    (tmp_path / "request.json").write_text(request_body)

    listed = output_of(
        rehearsal, aws, "sagemaker", "list-model-packages", "--model-package-group-name", group, "--output", "json"
    )
    output_of(
        rehearsal,
        *(aws, "sagemaker-runtime", "invoke-endpoint", "--endpoint-name", endpoint, "--output", "json"),
        *("--content-type", "application/json", "--body", f"fileb://{tmp_path / 'request.json'}"),
        str(tmp_path / "answer.json"),
    )

    answer = json.loads((tmp_path / "answer.json").read_text())
    assert {"models": models_in(listed["ModelPackageSummaryList"]), "answer": answer} == expected


def test_the_sagemaker_sdk_sees_what_boto3_sees(
    rehearsal: Rehearsal, group: str, endpoint: str, request_body: str, expected: dict[str, Any]
) -> None:
    program = str(Path(__file__).parent / "conformance_sdk.py")

    seen = output_of(rehearsal, sys.executable, program, group, endpoint, request_body)

    assert seen == expected

"""From an object in the lake to a served prediction: does each room hand over what the next one needs?"""

import hashlib
import io
import json
import tarfile
from typing import Any

import numpy as np
import onnxruntime
import pytest
from rich.console import Console

from mlplatform_cdk.cli.demo.report import ExecutionReport
from mlplatform_cdk.cli.demo.results import show
from stacks import breast_cancer
from stacks.environments import DEV
from tests.end_to_end.rehearsal import LABEL_COLUMN, Rehearsal


@pytest.fixture
def run(rehearsal: Rehearsal) -> ExecutionReport:
    assert rehearsal.report.run is not None
    return rehearsal.report.run


@pytest.fixture
def package(rehearsal: Rehearsal) -> dict[str, Any]:
    described: dict[str, Any] = rehearsal.live["package"]
    return described


def states(execution: ExecutionReport | None) -> list[str]:
    assert execution is not None
    return [state.name for state in execution.states]


def stored(rehearsal: Rehearsal, uri: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    content: bytes = rehearsal.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def of_run(rehearsal: Rehearsal, path: str) -> bytes:
    assert rehearsal.report.run is not None
    bucket = rehearsal.platform.parameter("foundation/artifacts-bucket")
    return stored(rehearsal, f"s3://{bucket}/runs/{rehearsal.report.run.name}/{path}")


def test_data_in_the_lake_runs_every_step_of_the_retraining(run: ExecutionReport) -> None:
    assert run.status == "SUCCEEDED"
    assert states(run) == [
        *("Begin", "ReadRequest", "QualityGate", "Preprocess", "Train"),
        *("FindProduction", "IsOneInProduction", "Evaluate", "ReadVerdict", "IsAccepted", "Register", "Registered"),
    ]


def test_the_model_is_registered_with_the_metrics_that_evaluation_measured(
    rehearsal: Rehearsal, package: dict[str, Any]
) -> None:
    verdict = json.loads(of_run(rehearsal, "evaluation/evaluation.json"))

    assert rehearsal.live["packages"] == [package["ModelPackageArn"]]
    assert rehearsal.report.model is not None
    assert rehearsal.report.model.metrics == verdict["metrics"]
    assert rehearsal.report.model.metrics["roc_auc"] >= breast_cancer.APPROVAL.at_least
    assert stored(rehearsal, package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]) == of_run(
        rehearsal, "evaluation/evaluation.json"
    )


def test_the_run_is_named_wherever_its_work_lies(
    rehearsal: Rehearsal, run: ExecutionReport, package: dict[str, Any]
) -> None:
    facts = package["CustomerMetadataProperties"]
    training = rehearsal.client("sagemaker").describe_training_job(TrainingJobName=f"breast-cancer-{run.name}-train")
    dataset = json.loads(of_run(rehearsal, "dataset/dataset.json"))
    manifest = json.loads(stored(rehearsal, facts["manifest_uri"]))

    assert facts["execution_arn"].endswith(f":{run.name}")
    assert package["MetadataProperties"]["GeneratedBy"] == facts["execution_arn"]
    assert {facts["run_id"], dataset["run_id"], manifest["run_id"], training["Environment"]["RUN_ID"]} == {run.name}
    assert {facts["dataset_version"], dataset["version"], manifest["dataset_version"]} == {facts["dataset_version"]}
    assert {facts["code_version"], manifest["code_version"], training["Environment"]["CODE_VERSION"]} == {
        facts["code_version"]
    }
    assert facts["dataset_uri"] == f"s3://{rehearsal.platform.parameter('data/lake-bucket')}/raw/breast-cancer/"


def test_what_the_registry_names_by_digest_is_what_lies_there(rehearsal: Rehearsal, package: dict[str, Any]) -> None:
    facts = package["CustomerMetadataProperties"]
    (container,) = package["InferenceSpecification"]["Containers"]

    assert hashlib.sha256(stored(rehearsal, container["ModelDataUrl"])).hexdigest() == facts["model_data_sha256"]
    assert hashlib.sha256(stored(rehearsal, facts["manifest_uri"])).hexdigest() == facts["manifest_sha256"]


def test_the_rule_approves_and_says_why(package: dict[str, Any]) -> None:
    metric = package["CustomerMetadataProperties"]["metric_roc_auc"]

    assert package["ModelApprovalStatus"] == "Approved"
    assert package["ApprovalDescription"] == f"approved by rule: roc_auc {float(metric):.6g} is at least 0.95"


def test_the_approval_releases_the_model_after_its_golden_test(rehearsal: Rehearsal) -> None:
    release = rehearsal.report.release

    assert release is not None
    assert release.status == "SUCCEEDED"
    path = states(release)
    steps = ["Plan", "CreateModel", "CreateEndpoint", "TestGreen", "MarkProduction"]
    assert [name for name in path if name in steps] == steps
    assert rehearsal.report.golden is not None
    assert rehearsal.report.golden["requests"] >= 1
    assert rehearsal.report.golden["within_budget"] is True


def test_the_endpoints_live_configuration_is_the_one_that_the_environment_asks_for(rehearsal: Rehearsal) -> None:
    endpoint, configuration, model = (rehearsal.live[name] for name in ("endpoint", "configuration", "model"))
    (variant,) = configuration["ProductionVariants"]

    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["EndpointName"] == breast_cancer.endpoint_name(DEV)
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == (DEV.endpoint_instance, 1)
    assert configuration["KmsKeyId"] == rehearsal.platform.parameter("foundation/data-key-arn")
    assert model["EnableNetworkIsolation"] is True
    subnets = rehearsal.platform.parameter("foundation/job-subnet-ids").split(",")
    assert model["VpcConfig"]["Subnets"] == subnets


def test_what_serves_is_the_registered_version_and_the_registry_says_so(
    rehearsal: Rehearsal, package: dict[str, Any]
) -> None:
    container = rehearsal.live["model"]["PrimaryContainer"]
    (registered,) = package["InferenceSpecification"]["Containers"]
    stage = package["ModelLifeCycle"]

    assert container["Environment"]["MODEL_PACKAGE_ARN"] == package["ModelPackageArn"]
    assert (container["Image"], container["ModelDataUrl"]) == (registered["Image"], registered["ModelDataUrl"])
    assert (stage["Stage"], stage["StageStatus"]) == ("Production", "InService")
    assert rehearsal.report.release is not None
    assert stage["StageDescription"].startswith("released to dev-breast-cancer by arn:aws:states:")
    assert stage["StageDescription"].endswith(f":{rehearsal.report.release.name}")


def test_people_hear_of_the_release(rehearsal: Rehearsal) -> None:
    assert rehearsal.report.release is not None

    message = rehearsal.inbox.about(rehearsal.report.release.name)

    assert message["Subject"] == "Released to dev-breast-cancer"
    assert message["Message"].startswith("dev-breast-cancer version 1 serves all traffic of dev-breast-cancer: ")


def test_the_endpoint_predicts_rows_that_training_never_saw(rehearsal: Rehearsal) -> None:
    assert rehearsal.report.holdout_accuracy is not None
    assert rehearsal.report.holdout_accuracy > 0.95
    assert [one.predicted for one in rehearsal.report.predictions] == [
        one.truth for one in rehearsal.report.predictions
    ]
    assert {one.truth for one in rehearsal.report.predictions} == {"malignant", "benign"}


def test_a_prediction_is_the_registered_archives_own(
    rehearsal: Rehearsal, run: ExecutionReport, package: dict[str, Any]
) -> None:
    (container,) = package["InferenceSpecification"]["Containers"]
    with tarfile.open(fileobj=io.BytesIO(stored(rehearsal, container["ModelDataUrl"]))) as archive:
        content = archive.extractfile("model.fp32.onnx")
        assert content is not None
        session = onnxruntime.InferenceSession(content.read(), providers=["CPUExecutionProvider"])
    rows = rehearsal.platform.holdout(run.name)[: len(rehearsal.report.predictions)]
    features = [[float(value) for name, value in row.items() if name != LABEL_COLUMN] for row in rows]

    _, probabilities = session.run(["label", "probabilities"], {"features": np.array(features, dtype=np.float32)})

    served = [one.probability for one in rehearsal.report.predictions]
    np.testing.assert_allclose(served, probabilities.max(axis=1), rtol=1e-5)


def test_a_worse_model_is_refused_with_its_reason_and_not_registered(rehearsal: Rehearsal) -> None:
    refused = rehearsal.report.refused
    assert refused is not None
    cause = refused.cause or ""

    assert (refused.status, refused.error) == ("FAILED", "ModelRefused")
    assert "EvaluateAgainstProduction" in states(refused)
    assert "Register" not in states(refused)
    assert cause.startswith("roc_auc must not be worse than production's ")
    assert len(rehearsal.live["packages"]) == 1
    message = rehearsal.inbox.about(refused.name)
    assert message["Subject"] == "Retraining of breast-cancer failed"
    assert message["Message"].startswith(f"Run {refused.name} of breast-cancer failed at ModelRefused: {cause} (")


def test_the_results_fit_a_terminal_of_100_columns(rehearsal: Rehearsal) -> None:
    console = Console(width=100, record=True, file=io.StringIO())

    show(console, rehearsal.report)

    shown = console.export_text()
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 100
    assert rehearsal.report.model is not None
    for words in ("MlPlatform-Dev-Serving", "Preprocess", "TestGreen", rehearsal.report.model.lineage["run_id"]):
        assert words in shown

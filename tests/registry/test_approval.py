"""What happens to a version that waits for approval?"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.registry.approval.runtime.handler import handle
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.model_package import PackageFacts

Register = Callable[[Mapping[str, str]], str]


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("METRIC", "roc_auc")
    monkeypatch.setenv("AT_LEAST", "0.9")
    aws.client.cache_clear()
    with mock_aws():
        client = boto3.client("sagemaker")
        client.create_model_package_group(ModelPackageGroupName="churn")
        yield client
    aws.client.cache_clear()


@pytest.fixture
def register(sagemaker: Any) -> Register:
    def one(metadata: Mapping[str, str]) -> str:
        package = sagemaker.create_model_package(
            ModelPackageGroupName="churn",
            ModelApprovalStatus="PendingManualApproval",
            CustomerMetadataProperties=dict(metadata),
        )
        return str(package["ModelPackageArn"])

    return one


def facts(**metrics: float) -> dict[str, str]:
    return PackageFacts(
        run_id="run-1",
        dataset_version="v1",
        dataset_uri="s3://lake/raw/churn/",
        code_version="1",
        manifest_uri="s3://artifacts/runs/run-1/evaluation/manifest.json",
        manifest_sha256="0" * 64,
        evaluation_uri="s3://artifacts/runs/run-1/evaluation/evaluation.json",
        model_data_sha256="0" * 64,
        metrics=metrics,
    ).to_metadata()


def pending(arn: str) -> dict[str, Any]:
    return {"detail": {"ModelPackageArn": arn, "ModelApprovalStatus": "PendingManualApproval"}}


def test_a_good_version_is_approved_and_says_why(sagemaker: Any, register: Register) -> None:
    arn = register(facts(roc_auc=0.97))

    assert handle(pending(arn), None)["status"] == "Approved"

    package = sagemaker.describe_model_package(ModelPackageName=arn)
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["ApprovalDescription"] == "approved by rule: roc_auc 0.97 is at least 0.9"


def test_a_weak_version_waits_for_a_person_and_says_why(sagemaker: Any, register: Register) -> None:
    arn = register(facts(roc_auc=0.7))

    assert handle(pending(arn), None)["status"] == "PendingManualApproval"

    package = sagemaker.describe_model_package(ModelPackageName=arn)
    assert package["ApprovalDescription"] == "waits for a person: roc_auc 0.7 is below 0.9"


def test_what_a_person_decides_while_the_rule_looks_is_not_taken_back(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = register(facts(roc_auc=0.7))
    updates: list[Any] = []
    monkeypatch.setattr(aws.client("sagemaker"), "update_model_package", lambda **update: updates.append(update))

    handle(pending(arn), None)

    assert [set(update) for update in updates] == [{"ModelPackageArn", "ApprovalDescription"}]


def test_a_version_that_no_run_registered_waits_for_a_person(sagemaker: Any, register: Register) -> None:
    arn = register({"origin": "by hand"})

    handle(pending(arn), None)

    description = sagemaker.describe_model_package(ModelPackageName=arn)["ApprovalDescription"]
    assert description.startswith("waits for a person: a model package must carry code_version")


def test_what_a_person_decided_stands(sagemaker: Any, register: Register) -> None:
    arn = register(facts(roc_auc=0.97))
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected", ApprovalDescription="biased")

    assert handle(pending(arn), None)["status"] == "unchanged"

    assert sagemaker.describe_model_package(ModelPackageName=arn)["ApprovalDescription"] == "biased"


def test_an_event_that_its_own_answer_caused_changes_nothing(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = register(facts(roc_auc=0.7))
    answered = {
        "ModelApprovalStatus": "PendingManualApproval",
        "ApprovalDescription": "waits for a person: roc_auc 0.7 is below 0.9",
        "CustomerMetadataProperties": facts(roc_auc=0.7),  # moto forgets it with each update, which SageMaker keeps
    }
    updates: list[Any] = []
    monkeypatch.setattr(aws.client("sagemaker"), "describe_model_package", lambda **_: answered)
    monkeypatch.setattr(aws.client("sagemaker"), "update_model_package", lambda **update: updates.append(update))

    assert handle(pending(arn), None)["status"] == "unchanged"

    assert updates == []

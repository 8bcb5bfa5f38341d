"""What does the registry know of a model after its run, and what serves now?"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.manifest import GoldenRequest, Manifest, ModelFile, Tensor
from mlplatform_cdk.runtimekit.model_package import PackageFacts
from mlplatform_cdk.training.find_production.runtime import handler as find_production
from mlplatform_cdk.training.register.runtime import handler as register
from mlplatform_cdk.training.register.runtime.package import RegistrationError, Run, create_request, facts_of

RUN = "s3://artifacts/runs/churn-1"
EVENT = {
    "run_id": "churn-1",
    "execution_arn": "arn:aws:states:us-east-1:123456789012:execution:machine:churn-1",
    "dataset_uri": "s3://lake/raw/churn/",
    "dataset_version": "0123456789abcdef",
    "profile_uri": f"{RUN}/profile.json",
    "model_data_url": f"{RUN}/model/churn-1-train/output/model.tar.gz",
    "evaluation_uri": f"{RUN}/evaluation/evaluation.json",
}
MANIFEST = Manifest(
    model_name="churn",
    run_id="churn-1",
    dataset_version="0123456789abcdef",
    dataset_uri="s3://lake/raw/churn/",
    code_version="abc",
    algorithm={"name": "logistic-regression"},
    files=(ModelFile(path="model.fp32.onnx", precision="fp32", opset=17, sha256="0" * 64),),
    inputs=(Tensor(name="features", dtype="float32", shape=("rows", 2)),),
    outputs=(Tensor(name="label", dtype="int64", shape=("rows",)),),
    content_types=("application/json", "text/csv"),
    preprocessing=(),
    golden_requests=(
        GoldenRequest(
            name="first",
            inputs={"features": [[1.0, 2.0]]},  # type: ignore[dict-item]
            outputs={"label": [1]},  # type: ignore[dict-item]
            absolute_tolerance=0.001,
            relative_tolerance=0.001,
        ),
    ),
    latency_budget_ms=100,
    metrics={"roc_auc": 0.97},
).to_json()
VERDICT = {
    "accepted": True,
    "reasons": [],
    "metrics": {"roc_auc": 0.97},
    "model_data_sha256": "1" * 64,
    "manifest_sha256": hashlib.sha256(MANIFEST.encode()).hexdigest(),
}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "MODEL_PACKAGE_GROUP_NAME": "churn",
        "INFERENCE_IMAGE": "111122223333.dkr.ecr.us-east-1.amazonaws.com/serving:7",
        "REFERENCE_URI": "s3://artifacts/references/churn/profile.json",
    }.items():
        monkeypatch.setenv(name, value)
    aws.client.cache_clear()
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="artifacts")
        boto3.client("sagemaker").create_model_package_group(ModelPackageGroupName="churn")
        put("profile.json", '{"rows": 3}')
        put("evaluation/evaluation.json", json.dumps(VERDICT))
        put("evaluation/manifest.json", MANIFEST)
        yield boto3.client("sagemaker")
    aws.client.cache_clear()


def put(name: str, text: str) -> None:
    boto3.client("s3").put_object(Bucket="artifacts", Key=f"runs/churn-1/{name}", Body=text)


def versions(sagemaker: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sagemaker.list_model_packages(ModelPackageGroupName="churn")[
        "ModelPackageSummaryList"
    ]
    return found


def test_an_accepted_model_is_registered_with_its_lineage_and_waits_for_approval(cloud: Any) -> None:
    arn = register.handle(EVENT, None)["model_package_arn"]

    package = cloud.describe_model_package(ModelPackageName=arn)
    facts = PackageFacts.from_metadata(package["CustomerMetadataProperties"])
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == EVENT["model_data_url"]
    assert package["InferenceSpecification"]["SupportedContentTypes"] == ["application/json", "text/csv"]
    assert (facts.run_id, facts.dataset_version, facts.code_version) == ("churn-1", "0123456789abcdef", "abc")
    assert facts.metrics == {"roc_auc": 0.97}
    assert facts.manifest_sha256 == VERDICT["manifest_sha256"]
    assert facts.execution_arn == EVENT["execution_arn"]


def test_the_data_of_a_registered_run_becomes_the_reference_for_the_next(cloud: Any) -> None:
    register.handle(EVENT, None)

    reference = boto3.client("s3").get_object(Bucket="artifacts", Key="references/churn/profile.json")
    assert reference["Body"].read() == b'{"rows": 3}'


def test_asking_again_asks_for_the_same_package(cloud: Any) -> None:
    run = Run(**EVENT)
    facts = facts_of(run, MANIFEST.encode(), VERDICT)

    tokens = {
        create_request(run, facts, Manifest.from_json(MANIFEST), group="churn", image="i")["ClientToken"]
        for _ in range(2)
    }

    assert len(tokens) == 1
    assert len(tokens.pop()) <= 36


@pytest.mark.parametrize(
    ("verdict", "manifest", "sentence"),
    [
        ({**VERDICT, "accepted": False, "reasons": ["too bad"]}, MANIFEST, "must be accepted .* got too bad"),
        (VERDICT, MANIFEST.replace("abc", "xyz"), "the manifest must be the one that evaluation wrote"),
        ({"reasons": []}, MANIFEST, "must be accepted"),
    ],
)
def test_a_model_that_was_not_accepted_as_it_is_leaves_no_trace(
    cloud: Any, verdict: dict[str, Any], manifest: str, sentence: str
) -> None:
    put("evaluation/evaluation.json", json.dumps(verdict))
    put("evaluation/manifest.json", manifest)

    with pytest.raises(RegistrationError, match=sentence):
        register.handle(EVENT, None)

    assert versions(cloud) == []
    assert boto3.client("s3").list_objects_v2(Bucket="artifacts", Prefix="references/")["KeyCount"] == 0


def test_before_the_first_release_no_model_is_in_production(cloud: Any) -> None:
    register.handle(EVENT, None)

    assert find_production.handle({"run_id": "churn-2"}, None) == {
        "found": False,
        "model_data_url": "",
        "model_package_arn": "",
    }


def test_the_newest_version_in_service_is_the_one_to_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    def summary(version: int, status: str) -> dict[str, Any]:
        stage = {"Stage": "Production", "StageStatus": status}
        return {"ModelPackageArn": f"arn:{version}", "ModelLifeCycle": stage}

    class Registry:
        def get_paginator(self, _: str) -> Any:
            return self

        def paginate(self, **asked: str) -> list[dict[str, Any]]:
            assert asked["SortOrder"] == "Descending"
            waiting = {"ModelPackageArn": "arn:9"}
            return [
                {"ModelPackageSummaryList": [waiting, summary(8, "Retired")]},
                {"ModelPackageSummaryList": [summary(7, "InService"), summary(6, "InService")]},
            ]

        def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
            return {"InferenceSpecification": {"Containers": [{"ModelDataUrl": f"s3://{ModelPackageName}"}]}}

    monkeypatch.setenv("MODEL_PACKAGE_GROUP_NAME", "churn")
    monkeypatch.setattr(find_production.aws, "client", lambda _: Registry())

    found = find_production.handle({"run_id": "churn-2"}, None)

    assert found == {"found": True, "model_data_url": "s3://arn:7", "model_package_arn": "arn:7"}

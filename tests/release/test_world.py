"""Do the steps read moto's SageMaker, and ask green and green alone?"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.release.blue_green.runtime import live, lock, production, scaling, trials
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseFailed, ReleaseRefused
from mlplatform_cdk.release.blue_green.runtime.handler import handle
from mlplatform_cdk.runtimekit import aws, release_records
from mlplatform_cdk.runtimekit.manifest import GoldenRequest, Manifest, ModelFile, Tensor
from mlplatform_cdk.runtimekit.model_package import PackageFacts
from tests.release.table import TABLE
from tests.release.worlds import EXECUTION, SPECIFICATION

ENDPOINT = "dev-churn"
MANIFEST_URI = "s3://artifacts/runs/r1/evaluation/manifest.json"
ANSWER = {"outputs": {"label": [1]}}
MANIFEST = Manifest(
    model_name="churn",
    run_id="r1",
    dataset_version="d1",
    dataset_uri="s3://lake/raw/churn/",
    code_version="c1",
    algorithm={"algorithm": "logistic-regression"},
    files=(ModelFile(precision="fp32", path="model.fp32.onnx", opset=20, sha256="0" * 64),),
    inputs=(Tensor(name="features", dtype="float32", shape=("batch", 1)),),
    outputs=(Tensor(name="label", dtype="int64", shape=("batch",)),),
    content_types=("application/json",),
    preprocessing=(),
    golden_requests=tuple(
        GoldenRequest(name=f"golden-{number}", inputs={"features": [[number]]}, outputs=ANSWER["outputs"])
        for number in (1, 2)
    ),
    latency_budget_ms=100,
)
DIGEST = hashlib.sha256(MANIFEST.to_json().encode()).hexdigest()
FACTS = PackageFacts(
    run_id="r1",
    dataset_version="d1",
    dataset_uri="s3://lake/raw/churn/",
    code_version="c1",
    manifest_uri=MANIFEST_URI,
    manifest_sha256=DIGEST,
    evaluation_uri="s3://artifacts/runs/r1/evaluation/evaluation.json",
    model_data_sha256="0" * 64,
)


class FakeRuntime:
    """The runtime of an endpoint, for what moto's canned answers cannot do."""

    def __init__(self, *answers: bytes, variant: str = "b") -> None:
        self.answers, self.variant = list(answers), variant
        self.asked: list[dict[str, Any]] = []
        self.exceptions = boto3.client("sagemaker-runtime").exceptions

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        body = self.answers[min(len(self.asked), len(self.answers)) - 1]

        class Body:
            def read(self) -> bytes:
                return body

        return {"Body": Body(), "InvokedProductionVariant": self.variant}


@pytest.fixture(autouse=True)
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("MODEL_PACKAGE_GROUP_NAME", "churn")
    clients = aws.client
    clients.cache_clear()
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket="artifacts", Key=MANIFEST_URI.split("/", 3)[3], Body=MANIFEST.to_json().encode())
        yield boto3.client("sagemaker")
    clients.cache_clear()


@pytest.fixture
def table(sagemaker: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The records, and the lock."""
    monkeypatch.setenv("RELEASE_RECORDS_TABLE", TABLE)
    boto3.client("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("endpoint", "at")],
        KeySchema=[{"AttributeName": "endpoint", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
    )
    return TABLE


@pytest.fixture
def package_arn(sagemaker: Any) -> str:
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    arn: str = sagemaker.create_model_package(
        ModelPackageGroupName="churn",
        ModelApprovalStatus="Approved",
        CustomerMetadataProperties=FACTS.to_metadata(),
        InferenceSpecification={
            "Containers": [{"Image": "serving:1", "ModelDataUrl": "s3://artifacts/runs/r1/model.tar.gz"}],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    return arn


@pytest.fixture
def endpoint(sagemaker: Any, package_arn: str) -> str:
    for name in ("dev-churn--v1", "dev-churn--v2"):
        sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn="arn:aws:iam::123456789012:role/model",
            PrimaryContainer={"Image": "serving:1", "Environment": {"MODEL_PACKAGE_ARN": package_arn}},
        )
    variant = {"InitialInstanceCount": 2, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(
        EndpointConfigName="dev-churn--both",
        ProductionVariants=[
            {"VariantName": "a", "ModelName": "dev-churn--v1", "InitialVariantWeight": 1.0, **variant},
            {"VariantName": "b", "ModelName": "dev-churn--v2", "InitialVariantWeight": 0.0, **variant},
        ],
        KmsKeyId="arn:aws:kms:eu-west-1:123456789012:key/k",
    )
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="dev-churn--both")
    return ENDPOINT


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def use(fake: FakeRuntime) -> FakeRuntime:
        real = aws.client
        monkeypatch.setattr(aws, "client", lambda service: fake if service == "sagemaker-runtime" else real(service))
        return fake

    yield use
    monkeypatch.undo()


def test_a_version_is_read_with_the_manifest_that_it_was_registered_with(package_arn: str) -> None:
    version = live.read_version(package_arn)

    assert (version.approval, version.manifest_uri, version.manifest_sha256) == ("Approved", MANIFEST_URI, DIGEST)
    assert version.label == "churn version 1"


def test_a_version_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ReleaseRefused, match=r"must exist, got .*model-package/churn/9, which does not"):
        live.read_version("arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/9")


def test_no_endpoint_is_a_state_too() -> None:
    assert live.read_endpoint(ENDPOINT).status == ""


def test_an_endpoint_is_read_with_its_weights_its_capacity_and_its_versions(endpoint: str, package_arn: str) -> None:
    read = live.read_endpoint(endpoint)

    assert (read.status, read.configuration, read.keyed) == ("InService", "dev-churn--both", True)
    assert [(one.name, one.weight, one.instances) for one in read.variants] == [("a", 1.0, 2), ("b", 0.0, 2)]
    assert {one.package_arn for one in read.variants} == {package_arn}
    assert read.variants[0].definition["InstanceType"] == "ml.m5.large"


def test_scaling_is_held_still_let_go_and_restored_as_it_was(endpoint: str) -> None:
    autoscaling = boto3.client("application-autoscaling")
    names = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/a",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    tracking = {
        "TargetValue": 600.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    autoscaling.register_scalable_target(**names, MinCapacity=2, MaxCapacity=5)
    autoscaling.put_scaling_policy(
        **names,
        PolicyName="invocations",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking,
    )
    (target,) = scaling.read_targets(endpoint)
    remembered = [json.loads(json.dumps(target.to_mapping()))]

    scaling.suspend(endpoint, remembered)
    assert [one.suspended for one in scaling.read_targets(endpoint)] == [True]
    scaling.remove(endpoint, remembered)
    assert scaling.read_targets(endpoint) == ()
    scaling.restore(endpoint, remembered)

    assert scaling.read_targets(endpoint) == (target,)


def test_green_is_asked_every_golden_request_whatever_its_weight(runtime: Any) -> None:
    fake = runtime(FakeRuntime(json.dumps(ANSWER).encode()))

    record = trials.try_green(ENDPOINT, "b", manifest_uri=MANIFEST_URI, manifest_sha256=DIGEST)

    assert record["requests"] == 2
    assert {one["TargetVariant"] for one in fake.asked} == {"b"}
    assert {one["Body"] for one in fake.asked} == {
        b'{"inputs": {"features": [[1]]}}',
        b'{"inputs": {"features": [[2]]}}',
    }


@pytest.mark.parametrize(
    ("fake", "problem"),
    [
        pytest.param({"answers": [b'{"outputs": {"label": [0]}}']}, "golden-2: label", id="a wrong answer"),
        pytest.param({"answers": [b"<html>"]}, "golden-1: the answer must be JSON, got b'<html>'", id="no JSON"),
        pytest.param(
            {"answers": [json.dumps(ANSWER).encode()], "variant": "a"},
            "golden-1: variant b must answer, got an answer of a",
            id="another variant answers",
        ),
    ],
)
def test_a_green_that_answers_wrongly_fails_and_each_problem_is_named(
    runtime: Any, fake: dict[str, Any], problem: str
) -> None:
    runtime(FakeRuntime(*fake.pop("answers"), **fake))

    with pytest.raises(ReleaseFailed) as failure:
        trials.try_green(ENDPOINT, "b", manifest_uri=MANIFEST_URI, manifest_sha256=DIGEST)

    assert problem in str(failure.value)


def test_a_manifest_that_was_changed_after_registration_is_refused() -> None:
    with pytest.raises(ReleaseFailed, match="must be the one that was registered"):
        trials.try_green(ENDPOINT, "b", manifest_uri=MANIFEST_URI, manifest_sha256="f" * 64)


class FakeRegistry:
    """The registry's marks, which moto does not keep."""

    def __init__(self, **marks: str) -> None:
        self.marks = marks

    def get_paginator(self, _operation: str) -> "FakeRegistry":
        return self

    def paginate(self, **_names: str) -> list[dict[str, Any]]:
        listed = [
            {"ModelPackageArn": arn, "ModelLifeCycle": {"Stage": "Production", "StageStatus": status}}
            for arn, status in self.marks.items()
        ]
        return [{"ModelPackageSummaryList": [*listed, {"ModelPackageArn": "unmarked"}]}]

    def update_model_package(self, **request: Any) -> None:
        self.marks[request["ModelPackageArn"]] = request["ModelLifeCycle"]["StageStatus"]


def test_the_registry_has_one_version_in_production_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = FakeRegistry(one="Retired", two="InService", three="InService")
    monkeypatch.setattr(aws, "client", lambda _service: registry)

    former = production.mark("four", "churn", description="released")

    assert former == ["two", "three"]
    assert registry.marks == {"one": "Retired", "two": "Retired", "three": "Retired", "four": "InService"}


def plan_event(request: object) -> dict[str, Any]:
    return {
        "step": "plan",
        "request": request,
        "specification": SPECIFICATION.to_mapping(),
        "endpoint_name": ENDPOINT,
        "shadow_percent": 0.0,
        "execution_arn": EXECUTION,
        "looks": 0,
        "most_looks": 120,
    }


def test_the_plan_has_every_member_that_the_states_refer_to(package_arn: str, table: str) -> None:
    assert lock.take(ENDPOINT, EXECUTION, package_arn).held

    plan = handle(plan_event({"model_package_arn": package_arn}), None)

    assert json.loads(json.dumps(plan)) == plan
    assert (plan["way"], plan["looks"], plan["package_arn"]) == ("first", 1, package_arn)
    assert plan["model"]["exists"] is False
    held = lock.holder(ENDPOINT)
    assert held is not None
    assert held.plan == plan
    assert [one.step for one in release_records.history(table, ENDPOINT)] == ["Plan"]


@pytest.mark.parametrize("request_", [None, {}, [], {"model_package_arn": 1}, {"model_package_arn": "churn/1"}])
def test_a_release_of_nothing_says_how_to_start_one(table: str, request_: object) -> None:
    lock.take(ENDPOINT, EXECUTION, "")

    with pytest.raises(ReleaseRefused, match=r'must be started with {"model_package_arn": "arn:…:model-package/…"}'):
        handle(plan_event(request_), None)


def test_a_version_of_another_group_is_refused(table: str) -> None:
    lock.take(ENDPOINT, EXECUTION, "")
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/fraud/1"

    with pytest.raises(ReleaseRefused, match=r"releases the versions of churn, got .*fraud/1"):
        handle(plan_event({"model_package_arn": arn}), None)


def test_the_way_back_of_a_refused_release_says_what_was_refused() -> None:
    cause = json.dumps({"errorMessage": "churn version 1 must be Approved", "errorType": "ReleaseRefused"})

    answer = handle(
        {
            "step": "go_back",
            "execution_arn": "arn",
            "endpoint_name": ENDPOINT,
            "plan": {"looks": 0},
            "failure": {"Plan": {"Error": "ReleaseRefused", "Cause": cause}},
            "looks": 0,
            "tries": 0,
            "most_looks": 120,
        },
        None,
    )

    assert (answer["way"], answer["step"], answer["reject"]) == ("done", "Plan", False)
    assert answer["sentence"] == "churn version 1 must be Approved; the endpoint was not touched"

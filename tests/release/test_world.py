"""Do the steps read moto's SageMaker, and plan by what they read?"""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from mlplatform_cdk.local.adapters.auto_scaling import tags
from mlplatform_cdk.release.blue_green.runtime import live, lock, scaling
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseRefused
from mlplatform_cdk.release.blue_green.runtime.handler import handle
from mlplatform_cdk.runtimekit import aws, release_records, scalable_targets
from tests.release.registered import DIGEST, ENDPOINT, FACTS, MANIFEST_URI, account
from tests.release.table import TABLE
from tests.release.worlds import EXECUTION, SPECIFICATION

tags.install()


@pytest.fixture(autouse=True)
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with account(monkeypatch) as made:
        yield made


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
    assert tags_of(endpoint, "a") == {scalable_targets.OWNER_TAG: endpoint}


def tags_of(endpoint: str, variant: str) -> dict[str, str]:
    (target,) = scalable_targets.registered(endpoint, [variant])
    tags: dict[str, str] = boto3.client("application-autoscaling").list_tags_for_resource(
        ResourceARN=target["ScalableTargetARN"]
    )["Tags"]
    return tags


def test_a_target_from_before_there_was_a_tag_is_tagged_when_scaling_is_held_still(endpoint: str) -> None:
    place = scalable_targets.place_of(endpoint, "a")
    boto3.client("application-autoscaling").register_scalable_target(**place, MinCapacity=2, MaxCapacity=5)

    scaling.suspend(endpoint, [one.to_mapping() for one in scaling.read_targets(endpoint)])

    assert tags_of(endpoint, "a") == {scalable_targets.OWNER_TAG: endpoint}


def test_a_target_that_may_not_be_tagged_ends_the_release_before_anything_is_changed(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, theirs = scalable_targets.place_of(endpoint, "a"), {scalable_targets.OWNER_TAG: "another"}
    boto3.client("application-autoscaling").register_scalable_target(**place, MinCapacity=2, MaxCapacity=5, Tags=theirs)
    client = aws.client("application-autoscaling")
    monkeypatch.setattr(client, "tag_resource", refusing(client, "ThrottlingException"))
    with pytest.raises(client.exceptions.ClientError, match="ThrottlingException"):
        scaling.remove(endpoint, [{"variant": "a"}])
    monkeypatch.setattr(client, "tag_resource", refusing(client, "AccessDeniedException"))
    found = [one.to_mapping() for one in scaling.read_targets(endpoint)]

    for change in (scaling.suspend, scaling.remove):
        with pytest.raises(scalable_targets.NotOurTarget) as refused:
            change(endpoint, found)
    scaling.let_go(endpoint, "a")
    scaling.restore(endpoint, found)

    (target,) = scalable_targets.registered(endpoint, ["a"])
    assert "SuspendedState" not in target
    tag = f"mlplatform:scaled-by={endpoint}"
    assert str(refused.value) == (
        f"the scalable target of {place['ResourceId']} must carry the tag {tag}, got another, and it was refused here "
        "(An error occurred (AccessDeniedException) when calling the TagResource operation: no); if it is ours: "
        f"aws application-autoscaling tag-resource --resource-arn {target['ScalableTargetARN']} --tags {tag}"
    )


def refusing(client: Any, code: str) -> Any:
    def refuse(**_: Any) -> None:
        error = {"Code": code, "Message": "no"}
        raise client.exceptions.ClientError({"Error": error}, "TagResource")

    return refuse


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

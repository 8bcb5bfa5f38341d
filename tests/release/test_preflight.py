"""What must be true before a release touches anything, and what is said when it is not?"""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from mlplatform_cdk.release.blue_green.runtime import fleets, live, preflight
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseRefused
from mlplatform_cdk.release.blue_green.runtime.fleets import Quota
from mlplatform_cdk.release.blue_green.runtime.state import Live
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.manifest import Manifest
from mlplatform_cdk.runtimekit.model_package import PackageFacts
from tests.release import worlds
from tests.release.manifests import FEATURES, manifest

ARCHIVE, M5 = b"a model", "ml.m5.large"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/serving:1"
FLEET = [{"InstanceType": M5, "InitialInstanceCount": 2}, {"InstanceType": M5, "InitialInstanceCount": 1}]
PASSED = "its archive, manifest and image are the ones that were registered"


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr(fleets, "read_quotas", lambda kinds: {kind: Quota(name=kind, most=9, used=2) for kind in kinds})
    clients = aws.client
    clients.cache_clear()
    with mock_aws():
        boto3.client("s3").create_bucket(
            Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        boto3.client("sagemaker").create_model_package_group(ModelPackageGroupName="churn")
        ecr = boto3.client("ecr")
        ecr.create_repository(repositoryName="serving")
        ecr.put_image(repositoryName="serving", imageTag="1", imageManifest=json.dumps(_image_manifest("1")))
        yield
    clients.cache_clear()


def _image_manifest(content: str) -> dict[str, Any]:
    kind, digest = "application/vnd.docker.distribution.manifest.v2+json", hashlib.sha256(content.encode()).hexdigest()
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": f"sha256:{digest}"}
    return {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}


def register(number: int, contract: Manifest | None = None, **changes: Any) -> str:
    """A version with all that belongs to it; its ARN."""
    s3, text = boto3.client("s3"), (contract or manifest()).to_json().encode()
    s3.put_object(Bucket="artifacts", Key=f"runs/{number}/model.tar.gz", Body=ARCHIVE)
    s3.put_object(Bucket="artifacts", Key=f"runs/{number}/manifest.json", Body=text)
    facts = PackageFacts(
        run_id=f"r{number}",
        dataset_version="d1",
        dataset_uri="s3://lake/raw/churn/",
        code_version="c1",
        manifest_uri=f"s3://artifacts/runs/{number}/manifest.json",
        manifest_sha256=hashlib.sha256(text).hexdigest(),
        evaluation_uri=f"s3://artifacts/runs/{number}/evaluation.json",
        model_data_sha256=hashlib.sha256(ARCHIVE).hexdigest(),
    )
    container = {"Image": changes.pop("image", IMAGE), "ModelDataUrl": f"s3://artifacts/runs/{number}/model.tar.gz"}
    arn: str = boto3.client("sagemaker").create_model_package(
        ModelPackageGroupName="churn",
        ModelApprovalStatus=changes.pop("approval", "Approved"),
        CustomerMetadataProperties=facts.to_metadata(),
        InferenceSpecification={
            "Containers": [container | changes],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    return arn


def problems_of(arn: str, endpoint: Live | None = None, *, allow_breaking: bool = False) -> str:
    found = preflight.examine(live.read_version(arn), endpoint or Live(status=""), FLEET, allow_breaking=allow_breaking)
    return "; ".join(found.problems)


def serving(arn: str) -> Live:
    """An endpoint whose traffic ``arn`` has."""
    one = worlds.variant("a", 1)
    return worlds.live(
        type(one)(name="a", model="m", package_arn=arn, weight=1, instances=2, definition=one.definition)
    )


def test_a_version_that_is_what_was_registered_passes() -> None:
    arn = register(1)

    event = {"package_arn": arn, "endpoint_name": "none-yet", "fleet": FLEET, "allow_breaking": False, "request": {}}
    assert preflight.preflight(event) == {"record": PASSED, "notes": []}


def test_every_problem_is_said_at_once() -> None:
    arn = register(1, approval="PendingManualApproval", image=IMAGE.replace(":1", ":2"))
    boto3.client("s3").delete_object(Bucket="artifacts", Key="runs/1/model.tar.gz")

    event = {"package_arn": arn, "endpoint_name": "none-yet", "fleet": FLEET, "allow_breaking": False, "request": {}}
    with pytest.raises(ReleaseRefused) as refused:
        preflight.preflight(event)

    for part in (
        "churn version 1 must not be released: it must be Approved, got PendingManualApproval",
        "the model archive must exist at s3://artifacts/runs/1/model.tar.gz, got none",
        f"the image must exist in ECR, and {IMAGE.replace(':1', ':2')} does not",
    ):
        assert part in str(refused.value)


@pytest.mark.parametrize("name", ["model.tar.gz", "manifest.json"])
def test_an_object_that_is_another_one_than_was_registered_is_found(name: str) -> None:
    arn = register(1)
    boto3.client("s3").put_object(Bucket="artifacts", Key=f"runs/1/{name}", Body=b"something else")

    assert f"s3://artifacts/runs/1/{name} must be the one that was registered" in problems_of(arn)


def test_a_manifest_that_is_gone_is_a_problem_and_no_breakdown() -> None:
    arn = register(1)
    boto3.client("s3").delete_object(Bucket="artifacts", Key="runs/1/manifest.json")

    assert "an object must exist at s3://artifacts/runs/1/manifest.json" in problems_of(arn)


def test_a_checksum_that_s3_keeps_saves_reading_the_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    arn = register(1)
    s3, stubbed = boto3.client("s3"), aws.client
    known = base64.b64encode(hashlib.sha256(ARCHIVE).digest()).decode()
    monkeypatch.setattr(aws, "client", lambda service: s3 if service == "s3" else stubbed(service))
    where = {"Bucket": "artifacts", "Key": "runs/1/model.tar.gz"}
    with Stubber(s3) as stub:
        stub.add_response("head_object", {"ChecksumSHA256": known}, {**where, "ChecksumMode": "ENABLED"})
        body: Any = boto3.client("s3").get_object(Bucket="artifacts", Key="runs/1/manifest.json")["Body"]
        stub.add_response("get_object", {"Body": body}, {"Bucket": "artifacts", "Key": "runs/1/manifest.json"})

        assert problems_of(arn) == ""
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    "composite", [pytest.param("x-3", id="an upload in parts"), pytest.param("", id="an upload without checksum")]
)
def test_an_archive_without_a_checksum_of_its_own_is_read(composite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arn, s3, client = register(1), boto3.client("s3"), aws.client
    head = s3.head_object
    monkeypatch.setattr(s3, "head_object", lambda **asked: head(**asked) | {"ChecksumSHA256": composite})
    monkeypatch.setattr(aws, "client", lambda service: s3 if service == "s3" else client(service))

    assert problems_of(arn) == ""


def test_an_image_whose_tag_was_moved_is_found() -> None:
    arn = register(1, ImageDigest=f"sha256:{'1' * 64}")

    assert f"the image {IMAGE} must be the one that was registered (111111111111…)" in problems_of(arn)


def test_an_image_by_digest_must_be_there() -> None:
    (image,) = boto3.client("ecr").describe_images(repositoryName="serving")["imageDetails"]
    by_digest = IMAGE.replace(":1", "@{}")

    assert problems_of(register(1, image=by_digest.format(image["imageDigest"]))) == ""
    assert "the image must exist" in problems_of(register(2, image=by_digest.format(f"sha256:{'1' * 64}")))


def test_an_image_outside_ecr_and_one_of_a_repository_that_is_gone_are_refused() -> None:
    assert "the image must lie in ECR, got serving:1" in problems_of(register(1, image="serving:1"))
    assert "the image must exist in ECR" in problems_of(register(2, image=IMAGE.replace("serving", "gone")))


def test_a_breaking_change_is_refused_unless_it_is_allowed() -> None:
    blue = register(1)
    changed = FEATURES.__class__(name="features", dtype="float64", shape=("batch", 2))
    green = register(2, manifest(inputs=(changed,)))

    told = problems_of(green, serving(blue))
    assert "it breaks callers of churn version 1: the input features was float32 and is float64" in told
    assert "allow_breaking lets it pass" in told
    assert problems_of(green, serving(blue), allow_breaking=True) == ""


def test_who_asks_may_allow_a_breaking_change_for_one_release(monkeypatch: pytest.MonkeyPatch) -> None:
    blue = register(1)
    green = register(2, manifest(labels=("leaves", "stays")))
    monkeypatch.setattr(live, "read_endpoint", lambda _: serving(blue))
    event = {"package_arn": green, "endpoint_name": "dev-churn", "fleet": FLEET, "allow_breaking": False}

    with pytest.raises(ReleaseRefused, match="it breaks callers of churn version 1"):
        preflight.preflight({**event, "request": {}})
    assert "allowed: the labels were" in preflight.preflight({**event, "request": {"allow_breaking": True}})["record"]


def test_what_nobody_can_know_any_more_is_a_note_and_no_refusal() -> None:
    gone, green = f"{worlds.GROUP}/77", register(1)

    found = preflight.examine(live.read_version(green), serving(gone), FLEET, allow_breaking=False)

    assert found.problems == ()
    assert "what callers of churn version 77 send is not known" in found.notes[0]


def test_the_quota_must_hold_what_runs_and_the_next_fleet() -> None:
    now, then = {M5: 2}, {M5: 3, "ml.g5.xlarge": 1}
    quotas = {M5: Quota(name="m5", most=5, used=None), "ml.g5.xlarge": Quota(name="g5", most=4, used=3)}

    assert fleets.shortages(now, then, quotas) == []
    (problem,) = fleets.shortages(now, then, {**quotas, M5: Quota(name="m5", most=5, used=3)})
    assert problem.startswith("the quota 'm5' must hold 6 instances (3 that run now and 3 of the next fleet), got 5;")


def test_a_release_whose_fleet_the_quota_does_not_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleets, "read_quotas", lambda _: {M5: Quota(name="m5", most=4, used=2)})

    assert "the quota 'm5' must hold 5 instances" in problems_of(register(1))


def test_an_instance_type_without_a_quota_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleets, "read_quotas", lambda _: {})

    found = preflight.examine(live.read_version(register(1)), Live(status=""), FLEET, allow_breaking=False)

    assert found == preflight.Findings(notes=("Service Quotas knows no quota for ml.m5.large",))

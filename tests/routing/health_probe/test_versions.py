"""How does the probe know what an endpoint must answer?"""

import boto3
import pytest

from mlplatform_cdk.routing.health_probe.runtime.versions import NothingServed, Versions
from tests.routing.health_probe.conftest import BUCKET, ENDPOINT, manifest_of, register, serve

pytestmark = pytest.mark.usefixtures("account")


def test_each_variant_has_the_manifest_of_its_version_and_a_name_that_is_the_same_in_every_region() -> None:
    serve(
        a=register(manifest_of(0.5, "run-1"), digest="a" * 64), b=register(manifest_of(0.7, "run-2"), digest="b" * 64)
    )

    configuration, serving = Versions(ENDPOINT).look()

    assert configuration == "churn--1"
    assert serving.main == "a"
    assert (serving.live.version, serving.live.label) == ("a" * 12, "churn version 1")
    assert serving.variants["b"].version == "b" * 12
    assert serving.variants["b"].manifest == manifest_of(0.7, "run-2")


def test_a_manifest_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(a=register(manifest_of()))
    versions = Versions(ENDPOINT)
    versions.look()
    boto3.client("s3").delete_object(Bucket=BUCKET, Key="runs/run-1/manifest.json")

    assert versions.look()[1].live.manifest == manifest_of()


def test_an_endpoint_of_a_template_has_the_manifest_that_the_probe_is_given() -> None:
    serve(a="")
    uri = f"s3://{BUCKET}/runs/m.json"
    boto3.client("s3").put_object(Bucket=BUCKET, Key="runs/m.json", Body=manifest_of().to_json().encode())

    _, serving = Versions(ENDPOINT, uri).look()

    assert serving.live.manifest == manifest_of()
    assert serving.live.label == "churn of run-1"
    assert len(serving.live.version) == 12


def test_what_cannot_be_asked_is_told() -> None:
    with pytest.raises(NothingServed, match="the endpoint churn must exist, and does not"):
        Versions(ENDPOINT).look()
    serve(a="")
    with pytest.raises(NothingServed, match="give the probe a manifest_uri"):
        Versions(ENDPOINT).look()


def test_a_manifest_that_was_changed_after_its_registration_is_none() -> None:
    serve(a=register(manifest_of()))
    boto3.client("s3").put_object(Bucket=BUCKET, Key="runs/run-1/manifest.json", Body=b"{}")

    with pytest.raises(NothingServed, match="must be the one that was registered"):
        Versions(ENDPOINT).look()

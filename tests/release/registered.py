"""A version that is registered on moto's SageMaker, with the manifest that its golden requests come from."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.manifest import GoldenRequest, Tensor
from mlplatform_cdk.runtimekit.model_package import PackageFacts
from tests.release.manifests import manifest

ENDPOINT = "dev-churn"
MANIFEST_URI = "s3://artifacts/runs/r1/evaluation/manifest.json"
ANSWER = {"outputs": {"label": [1]}}
MANIFEST = replace(
    manifest(inputs=(Tensor(name="features", dtype="float32", shape=("batch", 1)),)),
    golden_requests=tuple(
        GoldenRequest(name=f"golden-{number}", inputs={"features": [[number]]}, outputs=ANSWER["outputs"])
        for number in (1, 2)
    ),
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


@contextmanager
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An account in which the manifest lies, and its SageMaker."""
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "MODEL_PACKAGE_GROUP_NAME": "churn",
    }.items():
        monkeypatch.setenv(name, value)
    clients = aws.client
    clients.cache_clear()
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket="artifacts", Key=MANIFEST_URI.split("/", 3)[3], Body=MANIFEST.to_json().encode())
        yield boto3.client("sagemaker")
    clients.cache_clear()

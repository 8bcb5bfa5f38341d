"""A lake and an artifact store in moto, and the settings that the functions get."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.data.dataset import Dataset
from mlplatform_cdk.runtimekit import aws


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    rules = Dataset(prefix="raw/churn/", label_column="left", minimum_rows=3)
    monkeypatch.setenv("RULES", rules.to_json())
    monkeypatch.setenv("REFERENCE_URI", "s3://artifacts/references/churn/profile.json")
    monkeypatch.setenv("DATASET_URI", "s3://lake/raw/churn/")
    aws.client.cache_clear()
    with mock_aws():
        client = boto3.client("s3")
        for bucket in ("lake", "artifacts"):
            client.create_bucket(Bucket=bucket)
        yield client
    aws.client.cache_clear()

"""An embedded AWS whose minutes are seconds."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from mlplatform_cdk.local import server
from mlplatform_cdk.local.settings import Settings

MINUTE_S = 1.0  # how long a minute takes here
Client = Callable[[str], Any]


@pytest.fixture(scope="package")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Its settings."""
    with server.start(Settings(state_dir=tmp_path_factory.mktemp("aws"), clock_factor=MINUTE_S / 60)) as running:
        yield running.settings


@pytest.fixture(scope="package")
def client(fast: Settings) -> Client:
    """The administrator's boto3 client of a service, by its name."""
    return lambda service: boto3.client(
        service,
        endpoint_url=fast.endpoint_url,
        region_name=fast.region,
        aws_access_key_id=fast.account,
        aws_secret_access_key="embedded",
    )


@pytest.fixture
def variant() -> str:
    """A variant that no other test measures."""
    return uuid.uuid4().hex[:8]


def dimensions(variant: str) -> list[dict[str, str]]:
    """Those of a variant's metrics."""
    return [{"Name": "EndpointName", "Value": "churn"}, {"Name": "VariantName", "Value": variant}]


def put(client: Client, variant: str, **values: float) -> None:
    """Measure ``values`` of ``variant``."""
    data = [{"MetricName": name, "Dimensions": dimensions(variant), "Value": value} for name, value in values.items()]
    client("cloudwatch").put_metric_data(Namespace="AWS/SageMaker", MetricData=data)

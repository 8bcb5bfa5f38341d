"""Can a rehearsal have AWS's throttling, and the quotas that a release asks for?"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from mlplatform_cdk.local.settings import Settings


@pytest.fixture
def throttle(aws: Settings) -> Callable[..., Any]:
    """Let so many calls of these operations fail; what is still to come."""

    def ask(**calls: int) -> Any:
        method, body = ("PUT", json.dumps(calls)) if calls else ("GET", None)
        return urllib3.request(method, f"{aws.endpoint_url}/_embedded/throttling", body=body).json()

    return ask


def test_so_many_calls_of_an_operation_are_throttled_and_no_other(aws: Settings, throttle: Callable[..., Any]) -> None:
    sagemaker = boto3.client(
        "sagemaker",
        endpoint_url=aws.endpoint_url,
        region_name=aws.region,
        aws_access_key_id=aws.account,
        aws_secret_access_key="embedded",
        config=Config(retries={"total_max_attempts": 1}),
    )
    assert throttle(ListModels=2) == {"ListModels": 2}

    assert "Endpoints" in sagemaker.list_endpoints()
    for _ in range(2):
        with pytest.raises(ClientError, match=r"ThrottlingException.*Rate exceeded"):
            sagemaker.list_models()
    assert "Models" in sagemaker.list_models()
    assert throttle() == {}


def test_quotas_of_endpoints_are_listed_by_instance_type(client: Callable[[str], Any]) -> None:
    quotas = client("service-quotas")

    pages = quotas.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
    found = {one["QuotaName"]: one["Value"] for page in pages for one in page["Quotas"]}

    assert found["ml.m5.large for endpoint usage"] > 1


def test_quotas_of_other_services_stay_as_they_are(client: Callable[[str], Any]) -> None:
    found = client("service-quotas").list_aws_default_service_quotas(ServiceCode="vpc")

    assert found["Quotas"]

"""How does a multi-model endpoint of the embedded AWS load, unload and find its models again?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlplatform_cdk.local.settings import Settings
from tests.local.sagemaker.conftest import Client, archive, asking_once, name, wait_for


class MultiModel:
    """An endpoint whose models lie under one prefix."""

    def __init__(self, client: Client, image: str, role: str, bucket: str, settings: Settings) -> None:
        self.sagemaker, self.s3 = client("sagemaker"), client("s3")
        self.bucket, self.endpoint = bucket, name("many")
        self.runtime = asking_once(settings)
        container = {"Image": image, "ModelDataUrl": f"s3://{bucket}/models/", "Mode": "MultiModel"}
        self.sagemaker.create_model(ModelName=self.endpoint, PrimaryContainer=container, ExecutionRoleArn=role)

    def start(self) -> None:
        variant = {
            "VariantName": "all",
            "ModelName": self.endpoint,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        self.sagemaker.create_endpoint_config(EndpointConfigName=self.endpoint, ProductionVariants=[variant])
        self.sagemaker.create_endpoint(EndpointName=self.endpoint, EndpointConfigName=self.endpoint)
        seen = wait_for(
            lambda: self.sagemaker.describe_endpoint(EndpointName=self.endpoint),
            lambda seen: seen["EndpointStatus"] != "Creating",
        )
        assert seen["EndpointStatus"] == "InService", seen

    def put(self, key: str, **files: str) -> None:
        packed = archive({f"{stem}.txt": text for stem, text in files.items()})
        self.s3.put_object(Bucket=self.bucket, Key=f"models/{key}", Body=packed)

    def ask(self, target: str, body: bytes = b"{}") -> dict[str, Any]:
        answer = self.runtime.invoke_endpoint(EndpointName=self.endpoint, Body=body, TargetModel=target)
        return json.loads(answer["Body"].read())  # type: ignore[no-any-return]


@pytest.fixture
def endpoint(
    client: Client, image: Callable[[str], str], role: str, bucket: str, aws: Settings
) -> Iterator[MultiModel]:
    made = MultiModel(client, image("multi.py"), role, bucket, aws)
    made.start()
    for who in ("a", "b", "c"):
        made.put(f"{who}.tar.gz", name=who)
    yield made
    made.sagemaker.delete_endpoint(EndpointName=made.endpoint)


def test_a_model_is_loaded_when_first_asked_for_and_unloaded_when_the_container_is_full(endpoint: MultiModel) -> None:
    assert endpoint.ask("a.tar.gz")["who"] == "a"
    assert endpoint.ask("/b.tar.gz")["who"] == "b"
    assert endpoint.ask("a.tar.gz") == {"who": "a", "log": ["load a", "load b"], "target": "a.tar.gz"}

    full = endpoint.ask("c.tar.gz")

    assert full["log"] == ["load a", "load b", "unload b", "load c"]
    assert endpoint.ask("/b.tar.gz")["log"][-2:] == ["unload a", "load b"]


def test_many_callers_load_a_model_once(endpoint: MultiModel) -> None:
    with ThreadPoolExecutor(8) as callers:
        answered = list(callers.map(lambda _: endpoint.ask("a.tar.gz"), range(24)))

    assert {each["who"] for each in answered} == {"a"}
    assert all(each["log"] == ["load a"] for each in answered)


def test_more_models_than_there_is_room_for_all_answer_at_once(endpoint: MultiModel) -> None:
    targets = ["a", "b", "c"] * 8
    with ThreadPoolExecutor(6) as callers:
        answered = list(callers.map(lambda who: endpoint.ask(f"{who}.tar.gz")["who"], targets))

    assert answered == targets


def test_a_container_that_lost_its_models_gets_them_again(endpoint: MultiModel) -> None:
    endpoint.ask("a.tar.gz")
    endpoint.ask("a.tar.gz", b"lose")

    assert endpoint.ask("a.tar.gz")["log"] == ["load a", "load a"]


def test_a_model_that_is_not_there_or_does_not_load_is_told_so(endpoint: MultiModel) -> None:
    endpoint.put("empty.tar.gz", other="x")
    whole = archive({"name.txt": "cut"})
    endpoint.s3.put_object(Bucket=endpoint.bucket, Key="models/cut.tar.gz", Body=whole[: len(whole) // 2])

    with pytest.raises(ClientError, match="Failed to download model data") as missing:
        endpoint.ask("none.tar.gz")
    with pytest.raises(ClientError, match=r"Failed to download model data.*must unpack into a folder") as cut:
        endpoint.ask("cut.tar.gz")
    with pytest.raises(ClientError, match="no model in there") as broken:
        endpoint.ask("empty.tar.gz")
    with pytest.raises(ClientError, match="needs a TargetModel") as untold:
        endpoint.runtime.invoke_endpoint(EndpointName=endpoint.endpoint, Body=b"{}")

    codes = [error.value.response["Error"]["Code"] for error in (missing, cut, broken, untold)]
    assert codes == ["ValidationError", "ValidationError", "ModelError", "ValidationError"]

"""Who answers on an endpoint of the embedded AWS, and what becomes of an update?"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EventStreamError

from mlplatform_cdk.local.settings import Settings
from tests.local.sagemaker.conftest import Client, allow, archive, asking_once, name, wait_for

VARIANT = {"InstanceType": "ml.g4dn.xlarge", "InitialInstanceCount": 1}


class Platform:
    """Makes models and configurations, and asks endpoints."""

    def __init__(self, client: Client, image: str, role: str, bucket: str, settings: Settings) -> None:
        self.sagemaker = client("sagemaker")
        self.s3 = client("s3")
        self.image, self.role, self.bucket = image, role, bucket
        self.runtime = asking_once(settings)
        self.endpoint = name("endpoint")

    def model(self, who: str, behaviour: str = "serve") -> str:
        made = name(f"model-{who}")
        self.s3.put_object(Bucket=self.bucket, Key=f"{made}.tar.gz", Body=archive({"name.txt": who}))
        container = {
            "Image": self.image,
            "ModelDataUrl": f"s3://{self.bucket}/{made}.tar.gz",
            "Environment": {"BEHAVIOUR": behaviour},
        }
        self.sagemaker.create_model(ModelName=made, PrimaryContainer=container, ExecutionRoleArn=self.role)
        return made

    def config(self, weights: dict[str, float], models: dict[str, str], **more: Any) -> str:
        made = name("config")
        variants = [
            VARIANT | {"VariantName": variant, "ModelName": models[variant], "InitialVariantWeight": weight}
            for variant, weight in weights.items()
        ]
        self.sagemaker.create_endpoint_config(EndpointConfigName=made, ProductionVariants=variants, **more)
        return made

    def create(self, config: str) -> dict[str, Any]:
        self.sagemaker.create_endpoint(EndpointName=self.endpoint, EndpointConfigName=config)
        return self.settled()

    def update(self, config: str, **more: Any) -> dict[str, Any]:
        self.sagemaker.update_endpoint(EndpointName=self.endpoint, EndpointConfigName=config, **more)
        return self.settled()

    def describe(self) -> dict[str, Any]:
        return self.sagemaker.describe_endpoint(EndpointName=self.endpoint)  # type: ignore[no-any-return]

    def settled(self) -> dict[str, Any]:
        return wait_for(  # type: ignore[no-any-return]
            self.describe, lambda seen: seen["EndpointStatus"] not in {"Creating", "Updating", "Deleting"}
        )

    def ask(self, body: bytes = b"{}", **more: Any) -> dict[str, Any]:
        answer = self.runtime.invoke_endpoint(EndpointName=self.endpoint, Body=body, **more)
        return json.loads(answer["Body"].read()) | {"answer": answer}

    def stream(self, body: bytes) -> Iterator[dict[str, Any]]:
        answer = self.runtime.invoke_endpoint_with_response_stream(EndpointName=self.endpoint, Body=body)
        return iter(answer["Body"])

    def weights(self) -> dict[str, float]:
        return {variant["VariantName"]: variant["CurrentWeight"] for variant in self.describe()["ProductionVariants"]}


@pytest.fixture
def platform(client: Client, image: Callable[[str], str], role: str, bucket: str, aws: Settings) -> Iterator[Platform]:
    made = Platform(client, image("serve.py"), role, bucket, aws)
    yield made
    found = made.sagemaker.list_endpoints(NameContains=made.endpoint)["Endpoints"]
    if found:
        made.sagemaker.delete_endpoint(EndpointName=made.endpoint)


@pytest.fixture
def blue(platform: Platform) -> dict[str, Any]:
    """The platform's endpoint with one variant, in service."""
    model = platform.model("blue")
    seen = platform.create(platform.config({"blue": 1}, {"blue": model}))
    assert seen["EndpointStatus"] == "InService", seen
    return seen | {"model": model}


@pytest.mark.usefixtures("blue")
def test_an_endpoint_answers_with_its_model_and_hands_the_headers_on(platform: Platform) -> None:
    seen = platform.ask(b"\x00\xff", ContentType="text/csv", Accept="text/plain", CustomAttributes="trace=1")

    assert (seen["who"], seen["length"], seen["type"], seen["accept"]) == ("blue", 2, "text/csv", "text/plain")
    assert seen["attributes"] == "trace=1"
    assert seen["answer"]["InvokedProductionVariant"] == "blue"
    assert seen["answer"]["CustomAttributes"] == "from=container"
    assert seen["answer"]["ContentType"] == "application/json"


def test_traffic_follows_the_weights_and_zero_is_none(platform: Platform, blue: dict[str, Any]) -> None:
    models = {"blue": blue["model"], "green": platform.model("green")}
    platform.update(platform.config({"blue": 1, "green": 0}, models))
    assert platform.weights() == {"blue": 1.0, "green": 0.0}
    assert {platform.ask()["who"] for _ in range(20)} == {"blue"}
    assert platform.ask(TargetVariant="green")["who"] == "green"

    shift = [{"VariantName": "blue", "DesiredWeight": 1}, {"VariantName": "green", "DesiredWeight": 3}]
    platform.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=platform.endpoint, DesiredWeightsAndCapacities=shift
    )
    platform.settled()

    assert platform.weights() == {"blue": 1.0, "green": 3.0}
    answered = Counter(platform.ask()["who"] for _ in range(200))
    assert 110 < answered["green"] < 185  # 150 expected; outside once in a million runs


def test_a_variant_that_stays_keeps_its_process(platform: Platform, blue: dict[str, Any]) -> None:
    before = platform.ask()["pid"]

    models = {"blue": blue["model"], "green": platform.model("green")}
    platform.update(platform.config({"blue": 1, "green": 0}, models))

    assert platform.ask()["pid"] == before


def test_a_failed_update_rolls_back_and_leaves_its_reason_until_the_next_one(
    platform: Platform, blue: dict[str, Any]
) -> None:
    bad = platform.config({"blue": 1}, {"blue": platform.model("bad", "crash")})

    seen = platform.update(bad)

    assert seen["EndpointStatus"] == "InService"
    assert seen["EndpointConfigName"] == blue["EndpointConfigName"] != bad
    assert "production variant blue" in seen["FailureReason"]
    assert platform.ask()["who"] == "blue"
    assert "FailureReason" not in platform.update(blue["EndpointConfigName"])


def test_a_request_that_is_under_way_is_answered_by_the_fleet_that_leaves(
    platform: Platform, blue: dict[str, Any]
) -> None:
    assert blue["EndpointStatus"] == "InService"
    with ThreadPoolExecutor() as callers:
        answers = [callers.submit(platform.ask, b"slow") for _ in range(3)]
        time.sleep(0.3)
        platform.update(platform.config({"green": 1}, {"green": platform.model("green")}))
        last = platform.ask()

    assert [each.result()["who"] for each in answers] == ["blue"] * 3
    assert last["who"] == "green"


def test_weights_and_counts_are_retained_when_asked(platform: Platform, blue: dict[str, Any]) -> None:
    shift = [{"VariantName": "blue", "DesiredWeight": 0.25, "DesiredInstanceCount": 4}]
    platform.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=platform.endpoint, DesiredWeightsAndCapacities=shift
    )
    platform.settled()
    again = {"blue": blue["model"]}

    kept = platform.update(platform.config({"blue": 1}, again), RetainAllVariantProperties=True)
    reset = platform.update(platform.config({"blue": 1}, again))

    assert [(each["CurrentWeight"], each["CurrentInstanceCount"]) for each in kept["ProductionVariants"]] == [(0.25, 4)]
    assert [(each["CurrentWeight"], each["CurrentInstanceCount"]) for each in reset["ProductionVariants"]] == [(1.0, 1)]


def test_a_container_that_never_gets_healthy_fails_the_first_creation(platform: Platform) -> None:
    seen = platform.create(platform.config({"blue": 1}, {"blue": platform.model("bad", "crash")}))

    assert seen["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in seen["FailureReason"]
    with pytest.raises(ClientError, match="not found"):
        platform.ask()


def test_a_broken_archive_fails_the_creation_with_its_reason(platform: Platform) -> None:
    model = platform.model("cut")
    whole = archive({"name.txt": "cut"})
    platform.s3.put_object(Bucket=platform.bucket, Key=f"{model}.tar.gz", Body=whole[: len(whole) // 2])

    seen = platform.create(platform.config({"blue": 1}, {"blue": model}))

    assert seen["EndpointStatus"] == "Failed"
    assert "could not be prepared: the model archive model.tar.gz must unpack into a folder" in seen["FailureReason"]


@pytest.mark.usefixtures("blue")
def test_a_dead_container_is_started_again(platform: Platform) -> None:
    first = platform.ask()["pid"]
    os.kill(first, signal.SIGKILL)

    refused: list[int] = []

    def look() -> int:
        try:
            return int(platform.ask()["pid"])
        except ClientError as error:
            refused.append(error.response["ResponseMetadata"]["HTTPStatusCode"])
            return first

    assert wait_for(look, lambda pid: pid != first) != first
    assert set(refused) <= {503}


@pytest.mark.usefixtures("blue")
def test_what_the_container_refuses_is_a_model_error(platform: Platform) -> None:
    with pytest.raises(ClientError) as refused:
        platform.ask(b"refuse")
    with pytest.raises(ClientError) as broken:
        platform.ask(b"break")

    assert refused.value.response["Error"]["Code"] == broken.value.response["Error"]["Code"] == "ModelError"
    assert refused.value.response["OriginalStatusCode"] == 400
    assert refused.value.response["OriginalMessage"] == "what is this?"
    assert "Received server error (500) from primary" in str(broken.value)


def test_an_unknown_endpoint_is_a_validation_error(platform: Platform) -> None:
    with pytest.raises(ClientError, match=f"Endpoint {platform.endpoint} of account") as refused:
        platform.ask()

    assert refused.value.response["Error"]["Code"] == "ValidationError"


@pytest.mark.usefixtures("blue")
def test_a_target_model_is_for_multi_model_endpoints(platform: Platform) -> None:
    with pytest.raises(ClientError, match="is no multi-model variant and takes no TargetModel"):
        platform.ask(TargetModel="a.tar.gz")


@pytest.mark.usefixtures("blue")
def test_a_stream_comes_part_by_part_and_its_break_is_told_within_it(platform: Platform) -> None:
    parts = platform.stream(b"stream")
    broken = platform.stream(b"break off")

    assert [event["PayloadPart"]["Bytes"] for event in parts] == [b"one", b"two", b"three"]
    assert next(broken)["PayloadPart"]["Bytes"] == b"one"
    with pytest.raises(EventStreamError, match="The container ended its answer early"):
        list(broken)


@pytest.mark.usefixtures("blue")
def test_an_answer_can_be_streamed(platform: Platform) -> None:
    answer = platform.runtime.invoke_endpoint_with_response_stream(EndpointName=platform.endpoint, Body=b"{}")

    body = b"".join(event["PayloadPart"]["Bytes"] for event in answer["Body"])
    assert json.loads(body)["who"] == "blue"
    assert answer["InvokedProductionVariant"] == "blue"


def test_a_model_whose_data_its_role_cannot_read_is_refused(
    platform: Platform, make_role: Callable[[Any], str]
) -> None:
    platform.role = make_role(allow("s3:PutObject"))

    with pytest.raises(ClientError, match="Could not access model data at s3://"):
        platform.model("hidden")


def test_a_model_package_is_served(platform: Platform, client: Client) -> None:
    group, key = name("group"), "package.tar.gz"
    platform.s3.put_object(Bucket=platform.bucket, Key=key, Body=archive({"name.txt": "package"}))
    sagemaker = client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    container = {"Image": platform.image, "ModelDataUrl": f"s3://{platform.bucket}/{key}"}
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    model = name("model")
    sagemaker.create_model(
        ModelName=model, PrimaryContainer={"ModelPackageName": package}, ExecutionRoleArn=platform.role
    )

    platform.create(platform.config({"blue": 1}, {"blue": model}))

    assert platform.ask()["who"] == "package"


@pytest.mark.usefixtures("blue")
def test_invocations_are_counted_by_variant(platform: Platform, client: Client) -> None:
    for _ in range(3):
        platform.ask()
    with pytest.raises(ClientError):
        platform.ask(b"break")

    def total(metric: str) -> float:
        now = time.time()
        points = client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[
                {"Name": "EndpointName", "Value": platform.endpoint},
                {"Name": "VariantName", "Value": "blue"},
            ],
            StartTime=now - 3600,
            EndTime=now + 60,
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    wait_for(lambda: total("Invocations"), lambda seen: seen == 4)
    assert total("Invocation5XXErrors") == 1
    assert total("ModelLatency") > 0


def test_captured_data_lies_in_s3(platform: Platform) -> None:
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{platform.bucket}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    platform.create(platform.config({"blue": 1}, {"blue": platform.model("blue")}, DataCaptureConfig=capture))
    platform.ask(b"1,2", ContentType="text/csv", InferenceId="42")

    listing = wait_for(
        lambda: platform.s3.list_objects_v2(Bucket=platform.bucket, Prefix=f"captured/{platform.endpoint}/blue/"),
        lambda seen: seen["KeyCount"] == 1,
    )
    body = platform.s3.get_object(Bucket=platform.bucket, Key=listing["Contents"][0]["Key"])["Body"].read()
    line = json.loads(body)
    assert line["captureData"]["endpointInput"] == {
        "observedContentType": "text/csv",
        "mode": "INPUT",
        "data": "1,2",
        "encoding": "CSV",
    }
    assert line["captureData"]["endpointOutput"]["encoding"] == "JSON"
    assert line["eventMetadata"]["inferenceId"] == "42"


@pytest.mark.usefixtures("blue")
def test_many_callers_are_answered_at_once(platform: Platform) -> None:
    with ThreadPoolExecutor(8) as callers:
        answered = list(callers.map(lambda _: platform.ask()["who"], range(80)))

    assert answered == ["blue"] * 80


def test_a_deleted_endpoint_leaves_no_process(platform: Platform, blue: dict[str, Any]) -> None:
    pid = platform.ask()["pid"]

    platform.sagemaker.delete_endpoint(EndpointName=blue["EndpointName"])

    wait_for(lambda: platform.sagemaker.list_endpoints(NameContains=platform.endpoint)["Endpoints"], lambda s: not s)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    config = platform.sagemaker.describe_endpoint_config(EndpointConfigName=blue["EndpointConfigName"])
    assert config["ProductionVariants"][0]["InstanceType"] == VARIANT["InstanceType"]


@pytest.mark.usefixtures("blue")
def test_only_who_may_invoke_an_endpoint_is_answered(platform: Platform, client: Client, aws: Settings) -> None:
    iam, caller = client("iam"), name("caller")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
    role = iam.create_role(RoleName=caller, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    keys = client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    runtime = boto3.client(
        "sagemaker-runtime",
        endpoint_url=aws.endpoint_url,
        region_name=aws.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    with pytest.raises(ClientError, match="is not authorized to perform: sagemaker:InvokeEndpoint"):
        runtime.invoke_endpoint(EndpointName=platform.endpoint, Body=b"{}")

    here = f"arn:aws:sagemaker:{aws.region}:{aws.account}:endpoint/{platform.endpoint}"
    policy = allow("sagemaker:InvokeEndpoint")
    policy["Statement"][0]["Resource"] = here
    iam.put_role_policy(RoleName=caller, PolicyName="Invoke", PolicyDocument=json.dumps(policy))

    answer = runtime.invoke_endpoint(EndpointName=platform.endpoint, Body=b"{}")
    assert json.loads(answer["Body"].read())["who"] == "blue"


def test_an_endpoint_deleted_while_it_is_created_leaves_nothing(platform: Platform) -> None:
    config = platform.config({"blue": 1}, {"blue": platform.model("slow", "unhealthy")})
    sagemaker, endpoint = platform.sagemaker, platform.endpoint
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)

    sagemaker.delete_endpoint(EndpointName=endpoint)

    wait_for(lambda: sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"], lambda seen: not seen, seconds=15)


def test_an_update_to_a_model_that_is_gone_rolls_back(platform: Platform, blue: dict[str, Any]) -> None:
    gone = platform.model("gone")
    config = platform.config({"blue": 1}, {"blue": gone})
    platform.sagemaker.delete_model(ModelName=gone)

    seen = platform.update(config)

    assert (seen["EndpointStatus"], seen["EndpointConfigName"]) == ("InService", blue["EndpointConfigName"])


def test_a_shadow_gets_copies_of_all_requests_and_nobody_its_answers(
    platform: Platform, client: Client, blue: dict[str, Any]
) -> None:
    shadow = VARIANT | {"VariantName": "shadow", "ModelName": platform.model("green"), "InitialVariantWeight": 1}
    config = platform.config({"blue": 1}, {"blue": blue["model"]}, ShadowProductionVariants=[shadow])

    seen = platform.update(config)
    answers = Counter(platform.ask()["who"] for _ in range(12))

    assert [one["VariantName"] for one in seen["ProductionVariants"]] == ["blue"]
    assert [one["VariantName"] for one in seen["ShadowProductionVariants"]] == ["shadow"]
    assert answers == {"blue": 12}
    with pytest.raises(ClientError, match="has no variant shadow"):
        platform.ask(TargetVariant="shadow")

    def copies() -> float:
        points = client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="ModelLatency",
            Dimensions=[
                {"Name": "EndpointName", "Value": platform.endpoint},
                {"Name": "VariantName", "Value": "shadow"},
            ],
            StartTime=time.time() - 3600,
            EndTime=time.time() + 60,
            Period=3600,
            Statistics=["SampleCount"],
        )["Datapoints"]
        return sum(point["SampleCount"] for point in points)

    wait_for(copies, lambda count: count == 12)


def test_an_endpoint_has_one_shadow_beside_one_variant(platform: Platform, blue: dict[str, Any]) -> None:
    shadows = [
        VARIANT | {"VariantName": name, "ModelName": blue["model"], "InitialVariantWeight": 1} for name in ("x", "y")
    ]

    with pytest.raises(ClientError, match="one production variant and one shadow variant, got 1 and 2"):
        platform.config({"blue": 1}, {"blue": blue["model"]}, ShadowProductionVariants=shadows)

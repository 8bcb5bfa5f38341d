"""Does the real serving container answer boto3 on the embedded AWS: by variant, by model, whole and as a stream?"""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError

from mlplatform_cdk.local import images
from mlplatform_cdk.local.settings import Settings
from mlplatform_cdk.runtimekit.manifest import Manifest, read_folder
from tests.local.sagemaker.conftest import Client, asking_once, name, wait_for
from tests.training.jobs import rehearsal

DOCKERFILE = """\
FROM scratch
ENV PYTHONPATH=/opt/program
WORKDIR /opt/program
COPY . /opt/program
ENTRYPOINT ["python", "-m", "mlplatform_cdk.serving.container"]
"""
MIB = 2**20
TAGS = "def postprocess(outputs, context):\n context.attributes += '|{who}'\n return outputs\n"
STREAM = """
def stream(outputs, context):
    for number in range(3):
        yield f"{number};"
        if context.attributes == "break":
            raise ValueError("out of paper")
"""


class Endpoints:
    """Makes endpoints of the real container, and asks them."""

    def __init__(self, client: Client, image: str, role: str, bucket: str, settings: Settings, model: Path) -> None:
        self.sagemaker, self.s3 = client("sagemaker"), client("s3")
        self.image, self.role, self.bucket, self.folder = image, role, bucket, model
        self.runtime = asking_once(settings)
        self.made: list[str] = []

    def put(self, key: str, hooks: str = "", padding: int = 0) -> str:
        """A model.tar.gz of the trained model, with ``hooks`` beside its manifest, and so many bytes of nothing."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for path in sorted(self.folder.iterdir()):
                tar.add(path, path.name)
            for entry, content in (("hooks.py", hooks.encode()), ("padding", bytes(padding))):
                if content:
                    member = tarfile.TarInfo(entry)
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=packed.getvalue())
        return f"s3://{self.bucket}/{key}"

    def model(self, data: str, **more: Any) -> str:
        made = name("model")
        container = {"Image": self.image, "ModelDataUrl": data, **more}
        self.sagemaker.create_model(ModelName=made, PrimaryContainer=container, ExecutionRoleArn=self.role)
        return made

    def endpoint(self, **models: str) -> str:
        made = name("endpoint")
        variants = [
            {"VariantName": variant, "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
            for variant, model in models.items()
        ]
        self.sagemaker.create_endpoint_config(EndpointConfigName=made, ProductionVariants=variants)
        self.sagemaker.create_endpoint(EndpointName=made, EndpointConfigName=made)
        self.made.append(made)
        seen = wait_for(
            lambda: self.sagemaker.describe_endpoint(EndpointName=made),
            lambda seen: seen["EndpointStatus"] != "Creating",
            60,
        )
        assert seen["EndpointStatus"] == "InService", seen
        return made


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that the platform's own job has trained."""
    tree = rehearsal.ship(tmp_path_factory.mktemp("tree"))
    prepared = rehearsal.preprocess(tree, tmp_path_factory.mktemp("p"), {"a.csv": rehearsal.breast_cancer()})
    done = rehearsal.train(tree, tmp_path_factory.mktemp("t"), prepared.output("dataset"), {})
    assert done.code == 0, done.reason or done.errors
    return done.base / "model"


@pytest.fixture(scope="module")
def endpoints(
    client: Client, role: str, aws: Settings, trained: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Endpoints]:
    context = rehearsal.ship(tmp_path_factory.mktemp("image"))
    (context / "Dockerfile").write_text(DOCKERFILE)
    image = f"{aws.account}.dkr.ecr.{aws.region}.amazonaws.com/serving:1"
    images.publish(context, image, settings=aws)
    bucket = name("bucket")
    client("s3").create_bucket(Bucket=bucket)
    made = Endpoints(client, image, role, bucket, aws, trained)
    yield made
    for endpoint in made.made:
        made.sagemaker.delete_endpoint(EndpointName=endpoint)


@pytest.fixture(scope="module")
def manifest(trained: Path) -> Manifest:
    return read_folder(trained)


@pytest.fixture(scope="module")
def two(endpoints: Endpoints) -> str:
    """An endpoint of two variants, whose models say who they are."""
    blue, green = (endpoints.put(f"{who}.tar.gz", TAGS.format(who=who)) for who in ("blue", "green"))
    return endpoints.endpoint(blue=endpoints.model(blue), green=endpoints.model(green))


@pytest.fixture(scope="module")
def many(endpoints: Endpoints) -> str:
    """A multi-model endpoint with room for a few models."""
    for who in "abcdef":
        endpoints.put(f"many/{who}.tar.gz", TAGS.format(who=who))
    data = f"s3://{endpoints.bucket}/many/"
    model = endpoints.model(data, Mode="MultiModel", Environment={"MODEL_MEMORY_BYTES": str(2**30)})
    return endpoints.endpoint(all=model)


@pytest.fixture(scope="module")
def streaming(endpoints: Endpoints) -> str:
    """An endpoint whose model streams."""
    return endpoints.endpoint(all=endpoints.model(endpoints.put("streaming.tar.gz", STREAM)))


def test_a_variant_answers_rightly_and_hands_the_attributes_on(
    endpoints: Endpoints, two: str, manifest: Manifest
) -> None:
    golden = manifest.golden_requests[0]
    answer = endpoints.runtime.invoke_endpoint(
        EndpointName=two,
        Body=json.dumps(golden.body()),
        ContentType="application/json",
        Accept="application/json",
        TargetVariant="green",
        CustomAttributes="trace=1",
        InferenceId="42",
    )

    assert golden.check(json.loads(answer["Body"].read())) == []
    assert (answer["InvokedProductionVariant"], answer["ContentType"]) == ("green", "application/json")
    assert answer["CustomAttributes"] == "trace=1|green"


def test_without_a_target_both_variants_take_traffic(endpoints: Endpoints, two: str, manifest: Manifest) -> None:
    body = json.dumps(manifest.golden_requests[0].body())

    def ask(_: int) -> str:
        answer = endpoints.runtime.invoke_endpoint(EndpointName=two, Body=body, ContentType="application/json")
        answer["Body"].read()
        return str(answer["CustomAttributes"])

    with ThreadPoolExecutor(4) as callers:
        seen = Counter(callers.map(ask, range(60)))

    assert set(seen) == {"|blue", "|green"}


@pytest.mark.parametrize(("kind", "accept"), [("text/csv", "text/csv"), ("application/json", "application/x-npy")])
def test_formats_are_negotiated_through_boto3(
    endpoints: Endpoints, two: str, manifest: Manifest, kind: str, accept: str
) -> None:
    (rows,) = manifest.golden_requests[0].inputs.values()
    as_text = "\n".join(",".join("" if one is None else repr(one) for one in row) for row in rows)
    body = as_text if kind == "text/csv" else json.dumps({"instances": rows})

    answer = endpoints.runtime.invoke_endpoint(EndpointName=two, Body=body, ContentType=kind, Accept=accept)
    read = answer["Body"].read()

    assert answer["ContentType"] == accept
    assert read.startswith(b"\x93NUMPY") if accept == "application/x-npy" else read.count(b"\n") == len(rows)


def test_what_the_container_refuses_arrives_as_a_model_error(endpoints: Endpoints, two: str) -> None:
    with pytest.raises(ClientError) as refused:
        endpoints.runtime.invoke_endpoint(EndpointName=two, Body=b"{", ContentType="application/json")

    assert refused.value.response["Error"]["Code"] == "ModelError"
    assert refused.value.response["OriginalStatusCode"] == 400
    assert " must " in json.loads(refused.value.response["OriginalMessage"])["error"]


def test_a_whole_answer_can_be_taken_as_a_stream(endpoints: Endpoints, two: str, manifest: Manifest) -> None:
    golden = manifest.golden_requests[0]
    answer = endpoints.runtime.invoke_endpoint_with_response_stream(
        EndpointName=two, Body=json.dumps(golden.body()), ContentType="application/json", TargetVariant="blue"
    )

    body = b"".join(event["PayloadPart"]["Bytes"] for event in answer["Body"])
    assert golden.check(json.loads(body)) == []
    assert (answer["InvokedProductionVariant"], answer["CustomAttributes"]) == ("blue", "|blue")


def test_a_model_that_streams_is_heard_piece_by_piece(endpoints: Endpoints, streaming: str, manifest: Manifest) -> None:
    body = json.dumps(manifest.golden_requests[0].body())
    ask = {"EndpointName": streaming, "Body": body, "ContentType": "application/json"}

    parts = endpoints.runtime.invoke_endpoint_with_response_stream(**ask, CustomAttributes="x")
    whole = endpoints.runtime.invoke_endpoint(**ask)
    broken = endpoints.runtime.invoke_endpoint_with_response_stream(**ask, CustomAttributes="break")

    assert parts["CustomAttributes"] == "x"
    assert b"".join(event["PayloadPart"]["Bytes"] for event in parts["Body"]) == b"0;1;2;"
    assert whole["Body"].read() == b"0;1;2;"
    with pytest.raises(EventStreamError, match="The container ended its answer early"):
        list(broken["Body"])


def test_a_target_model_is_loaded_asked_and_makes_room_for_others(
    endpoints: Endpoints, many: str, manifest: Manifest
) -> None:
    golden = manifest.golden_requests[0]

    def ask(who: str) -> str:
        answer = endpoints.runtime.invoke_endpoint(
            EndpointName=many,
            Body=json.dumps(golden.body()),
            ContentType="application/json",
            TargetModel=f"{who}.tar.gz",
            InferenceId=who,
        )
        assert golden.check(json.loads(answer["Body"].read())) == []
        return str(answer["CustomAttributes"])

    with ThreadPoolExecutor(6) as callers:
        assert list(callers.map(ask, "abcdefabcdef")) == [f"|{who}" for who in "abcdefabcdef"]
    with pytest.raises(ClientError, match="Failed to download model data"):
        ask("none")


def test_a_full_container_is_unloaded_by_the_platform_and_goes_on(
    endpoints: Endpoints, manifest: Manifest, client: Client
) -> None:
    padding, hooks = 24 * MIB, {who: TAGS.format(who=who) for who in "abc"}
    for who, code in hooks.items():
        endpoints.put(f"full/{who}.tar.gz", code, padding)
    size = padding + len(hooks["a"]) + sum(path.stat().st_size for path in endpoints.folder.iterdir())
    room = int(1.3 * size) + 1024  # for one that is being loaded; with another beside it there is none
    environment = {"MODEL_MEMORY_BYTES": str(room)}
    data = f"s3://{endpoints.bucket}/full/"
    tight = endpoints.endpoint(all=endpoints.model(data, Mode="MultiModel", Environment=environment))
    golden = manifest.golden_requests[0]

    for who in "abca":
        answer = endpoints.runtime.invoke_endpoint(
            EndpointName=tight,
            Body=json.dumps(golden.body()),
            ContentType="application/json",
            TargetModel=f"{who}.tar.gz",
        )
        assert golden.check(json.loads(answer["Body"].read())) == []

    def unloads() -> int:
        logs, group = client("logs"), f"/aws/sagemaker/Endpoints/{tight}"
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return 0  # the log is carried there about once a second
        found = logs.filter_log_events(logGroupName=group)["events"]
        return sum(json.loads(event["message"])["message"] == "model unloaded" for event in found)

    wait_for(unloads, lambda seen: seen == 3)

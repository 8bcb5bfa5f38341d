"""Regions as real HTTP servers, and what the probe finds in its account, in moto."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.manifest import GoldenRequest, Manifest, ModelFile, Tensor

REGION = "eu-west-1"
TABLE, ENDPOINT, BUCKET = "verdicts", "churn", "artifacts"


def manifest_of(right: float = 0.5, run_id: str = "run-1") -> Manifest:
    """A model that answers ``right`` to each of its two questions."""
    goldens = tuple(
        GoldenRequest(name=f"g{number}", inputs={"x": [[float(number)]]}, outputs={"y": [right]}) for number in (1, 2)
    )
    tensor = Tensor(name="x", dtype="float32", shape=("n", 1))
    return Manifest(
        model_name="churn",
        run_id=run_id,
        dataset_version="1",
        dataset_uri="s3://lake/1/",
        code_version="1",
        algorithm={"name": "tree"},
        files=(ModelFile(precision="fp32", path="model.onnx", opset=18, sha256="0" * 64),),
        inputs=(tensor,),
        outputs=(replace(tensor, name="y"),),
        content_types=("application/json",),
        preprocessing=(),
        golden_requests=goldens,
        latency_budget_ms=20.0,
    )


@dataclass
class Region:
    """A region's API: what it answers can be changed while it runs."""

    answers: float = 0.5
    status: int = 200
    variant: str = "a"
    late_s: float = 0.0
    health: bytes = b""
    health_status: int = 200
    health_late_s: float = 0.0
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def regions() -> Iterator[Any]:
    """Start a region."""
    servers = []

    def start(**told: Any) -> Region:
        region = Region(**told)
        server = Quiet(("127.0.0.1", 0), handler_of(region))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        region.url = f"http://127.0.0.1:{server.server_address[1]}"
        return region

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class Quiet(ThreadingHTTPServer):
    """A server to which a caller who has gone away is no news."""

    def handle_error(self, *_: Any) -> None:
        """Say nothing."""


def handler_of(region: Region) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            region.requests.append((self.path, {name.lower(): one for name, one in self.headers.items()}, body))
            if region.late_s:
                threading.Event().wait(region.late_s)
            self.answer(region.status, json.dumps({"outputs": {"y": [region.answers]}}).encode())

        def do_GET(self) -> None:
            threading.Event().wait(region.health_late_s)
            self.answer(region.health_status, region.health)

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.send_header("x-Amzn-Invoked-Production-Variant", region.variant)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    return Handler


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account with a table of verdicts, where functions run in ``REGION``."""
    for name, value in (("AWS_REGION", REGION), ("AWS_DEFAULT_REGION", REGION), ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    aws.client.cache_clear()
    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "endpoint", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "endpoint", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        location = {"LocationConstraint": REGION}
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
        yield
    aws.client.cache_clear()


def register(manifest: Manifest, *, digest: str = "d" * 64) -> str:
    """Put a version into the registry, and give its ARN."""
    content = manifest.to_json().encode()
    key = f"runs/{manifest.run_id}/manifest.json"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)
    sagemaker = boto3.client("sagemaker")
    if not sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]:
        sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    archive = f"s3://{BUCKET}/runs/{manifest.run_id}/model.tar.gz"
    arn: str = sagemaker.create_model_package(
        ModelPackageGroupName="churn",
        InferenceSpecification={
            "Containers": [{"Image": "image", "ModelDataUrl": archive}],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        CustomerMetadataProperties={
            "run_id": manifest.run_id,
            "dataset_version": "1",
            "dataset_uri": "s3://lake/1/",
            "code_version": "1",
            "manifest_uri": f"s3://{BUCKET}/{key}",
            "manifest_sha256": hashlib.sha256(content).hexdigest(),
            "evaluation_uri": "s3://artifacts/e.json",
            "model_data_sha256": digest,
        },
    )["ModelPackageArn"]
    return arn


def serve(**packages: str) -> None:
    """Make an endpoint of variants, each of a version; the first has the most of the traffic."""
    sagemaker = boto3.client("sagemaker")
    variants = []
    for place, (name, package) in enumerate(packages.items()):
        sagemaker.create_model(
            ModelName=f"model-{name}",
            ExecutionRoleArn="arn:aws:iam::123456789012:role/model",
            PrimaryContainer={"Image": "image", "Environment": {"MODEL_PACKAGE_ARN": package} if package else {}},
        )
        variants.append(
            {
                "VariantName": name,
                "ModelName": f"model-{name}",
                "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "InitialVariantWeight": 9.0 if place == 0 else 1.0,
            }
        )
    sagemaker.create_endpoint_config(EndpointConfigName="churn--1", ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="churn--1")

"""Two accounts in two regions on moto, as the tests of promotion want them: a version at home, a station abroad."""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3

from mlplatform_cdk.release.train.runtime.station import StationFacts
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.model_package import PackageFacts

HOME, ABROAD, REGION, OTHER = "123456789012", "222222222222", "eu-west-1", "us-east-1"
ARCHIVE, MANIFEST, VERDICT = b"an archive", b'{"format_version": 1}', b'{"accepted": true}'
FACTS = StationFacts(
    name="prod-us",
    region=OTHER,
    role_arn=f"arn:aws:iam::{ABROAD}:role/prod-churn-train-{OTHER}",
    external_id="train/7f3a9c",
    parameter="/mlplatform/train/prod-churn",
)
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class World:
    """Two accounts in two regions: a version at home, and a station abroad."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    downloads: list[str] = field(default_factory=list)
    clients: dict[str, Any] = field(default_factory=dict)

    def home(self, service: str) -> Any:
        return aws.client(service)

    def abroad(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self._client_abroad(service)
        return self.clients[service]

    def _client_abroad(self, service: str) -> Any:
        keys = boto3.client("sts").assume_role(RoleArn=FACTS.role_arn, RoleSessionName="test")["Credentials"]
        return boto3.client(
            service,
            region_name=OTHER,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    def versions_abroad(self) -> list[dict[str, Any]]:
        found = self.abroad("sagemaker").list_model_packages(ModelPackageGroupName="prod-churn")
        return list(found["ModelPackageSummaryList"])

    def push(self, client: Any, repository: str, tag: str, *layers: bytes, known: bool = True) -> str:
        """An image of these layers; gives its digest."""
        config = b'{"architecture": "arm64"}'
        blobs = {f"sha256:{sha256(one)}": one for one in (config, *layers)}
        self.blobs |= blobs if known else {}
        first, *rest = [{"digest": digest, "size": len(one)} for digest, one in blobs.items()]
        content = {"schemaVersion": 2, "mediaType": DOCKER, "config": first, "layers": rest}
        return self.put(client, repository, tag, content)

    def put(self, client: Any, repository: str, tag: str, content: dict[str, Any]) -> str:
        text = json.dumps(content)
        digest = f"sha256:{sha256(text.encode())}"
        client.put_image(repositoryName=repository, imageManifest=text, imageTag=tag, imageDigest=digest)
        return digest

    def register(self, *, archive: bytes = ARCHIVE, image: str = "serving:7") -> dict[str, Any]:
        """A version at home, approved; its facts are those of ``ARCHIVE``, whatever lies there."""
        s3 = self.home("s3")
        for name, body in {"model.tar.gz": archive, "manifest.json": MANIFEST, "evaluation.json": VERDICT}.items():
            s3.put_object(Bucket="home", Key=f"runs/r1/{name}", Body=body)
        facts = PackageFacts(
            run_id="r1",
            dataset_version="d1",
            dataset_uri="s3://lake/",
            code_version="c1",
            manifest_uri="s3://home/runs/r1/manifest.json",
            manifest_sha256=sha256(MANIFEST),
            evaluation_uri="s3://home/runs/r1/evaluation.json",
            model_data_sha256=sha256(ARCHIVE),
            metrics={"roc_auc": 0.91},
        )
        arn = self.home("sagemaker").create_model_package(
            ModelPackageGroupName="churn",
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [
                    {
                        "Image": f"{HOME}.dkr.ecr.{REGION}.amazonaws.com/{image}",
                        "ModelDataUrl": "s3://home/runs/r1/model.tar.gz",
                        "Environment": {"LOG_LEVEL": "INFO"},
                    }
                ],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            CustomerMetadataProperties=facts.to_metadata(),
        )["ModelPackageArn"]
        found: dict[str, Any] = self.home("sagemaker").describe_model_package(ModelPackageName=arn)
        return found


class WithLayers:
    """ECR at home, with the one call that moto lacks."""

    def __init__(self, world: World, url: str) -> None:
        self._world, self._url, self._client = world, url, world.home("ecr")

    def get_download_url_for_layer(self, *, layerDigest: str, **_place: str) -> dict[str, str]:  # noqa: N803 - boto's
        self._world.downloads.append(layerDigest)
        return {"downloadUrl": f"{self._url}/{layerDigest}"}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


class Layers:
    """S3 as ECR sends one there for a layer."""

    def __init__(self, world: World) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                blob = world.blobs[self.path.strip("/")]
                self.send_response(200)
                self.send_header("Content-Length", str(len(blob)))
                self.end_headers()
                self.wfile.write(blob)

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

"""Batch transform: the model's server for the time of the job, one request per object or per line."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from moto.core.utils import utcnow
from urllib3.exceptions import HTTPError

from mlplatform_cdk.local.adapters.endpoints import models
from mlplatform_cdk.local.adapters.endpoints.server import ModelServer, Place, ServerFailed
from mlplatform_cdk.local.adapters.jobs.job import Job, JobFailed
from mlplatform_cdk.local.adapters.sagemaker_api import ValidationError, require_instance_type
from mlplatform_cdk.local.log_shipping import LogShipper
from mlplatform_cdk.local.role_storage import relative_name, split

if TYPE_CHECKING:
    from pathlib import Path

    from mlplatform_cdk.local.adapters.jobs.container import Container
    from mlplatform_cdk.local.adapters.sagemaker_api import Request, Scope
    from mlplatform_cdk.local.role_storage import RoleStorage

PATIENCE_SECONDS = 60.0
ANSWER_SECONDS = 600  # unless ModelClientConfig says otherwise
PAYLOAD_MB = 6  # unless MaxPayloadInMB says otherwise
# What the container is told of the request, where the request says it:
# https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html
_TOLD = {
    "SAGEMAKER_MAX_PAYLOAD_IN_MB": "MaxPayloadInMB",
    "SAGEMAKER_BATCH_STRATEGY": "BatchStrategy",
    "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "MaxConcurrentTransforms",
}
_STRATEGIES = {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}


class TransformJob(Job):
    """One batch transform job."""

    KIND = "Transform"
    ARN_KIND = "transform-job"

    def __init__(self, scope: Scope, request: Request) -> None:
        super().__init__(scope, request)
        _check(request)
        found = models.find(scope, request["ModelName"])
        self._model = replace(found, environment={**found.environment, **_variables(request)})

    @property
    def role_arn(self) -> str:
        """The model's."""
        return self._model.role_arn

    def work(self, storage: RoleStorage, container: Container) -> str:
        """Start the model's server, send it every object, upload the answers."""
        source = self.request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        target = self.request["TransformOutput"]
        bucket, prefix = split(source)
        group = "/aws/sagemaker/TransformJobs"
        folder = container.folder / "server"
        shipper = LogShipper(
            self.scope.account, self.scope.region, group, f"{self.name}/{uuid.uuid4().hex}", folder / "container.log"
        )
        server = ModelServer(
            self._model,
            Place(self.scope, folder, f"transform job {self.name}"),
            shipper,
            answer_seconds=self.request.get("ModelClientConfig", {}).get("InvocationsTimeoutInSeconds", ANSWER_SECONDS),
        )
        keys = storage.keys(source)
        self.start_time = utcnow()
        try:
            server.start(PATIENCE_SECONDS)
            for number, key in enumerate(keys):
                if self.status == "Stopping":
                    return "Stopped"
                file = container.folder / "opt" / str(number)
                storage.fetch(f"s3://{bucket}/{key}", file)
                self._transform(server, key, file)
                uri = f"{target['S3OutputPath'].rstrip('/')}/{relative_name(key, prefix)}.out"
                storage.put(file, uri, target.get("KmsKeyId") or None)
        except ServerFailed as failure:
            raise JobFailed(f"ClientError: {failure}") from failure
        finally:
            server.stop()
        return "Completed"

    def _transform(self, server: ModelServer, key: str, file: Path) -> None:
        """Put the answers in the place of the input."""
        content, source = file.read_bytes(), self.request["TransformInput"]
        parts = _lines(content) if source.get("SplitType") == "Line" else [content]
        most = self.request.get("MaxPayloadInMB", PAYLOAD_MB) * 2**20 or len(content)  # 0: of any size
        if any(len(part) > most for part in parts):
            raise JobFailed(f"ClientError: a record of {key} is larger than MaxPayloadInMB, {most} bytes")
        if self.request.get("BatchStrategy") != "SingleRecord":
            parts = _together(parts, most)
        headers = {"Content-Type": source.get("ContentType") or "application/octet-stream"}
        headers |= {"Accept": self.request["TransformOutput"].get("Accept") or "*/*"}
        with ThreadPoolExecutor(self.request.get("MaxConcurrentTransforms") or 1) as pool:
            answers = list(pool.map(lambda part: _ask(server, key, part, headers), parts))
        joined = self.request["TransformOutput"].get("AssembleWith") == "Line"
        file.write_bytes(b"".join(answer.rstrip(b"\n") + b"\n" for answer in answers) if joined else b"".join(answers))


def _check(request: Request) -> None:
    require_instance_type(request["TransformResources"].get("InstanceType"))
    source: dict[str, Any] = request["TransformInput"]
    if source["DataSource"]["S3DataSource"]["S3DataType"] != "S3Prefix":
        raise ValidationError("the embedded AWS transforms S3Prefix only")
    if source.get("SplitType", "None") not in {"None", "Line"} or source.get("CompressionType", "None") != "None":
        raise ValidationError("the embedded AWS splits by line or not at all, and reads uncompressed objects")
    if request.get("DataProcessing", {}).get("JoinSource", "None") != "None":
        raise ValidationError("the embedded AWS does not join inputs to answers")


def _lines(content: bytes) -> list[bytes]:
    return [line for line in content.splitlines(keepends=True) if line.strip()]


def _together(records: list[bytes], most: int) -> list[bytes]:
    """As many records at a time as ``most`` bytes hold."""
    batches: list[bytearray] = []
    for record in records:
        if not batches or len(batches[-1]) + len(record) > most:
            batches.append(bytearray())
        batches[-1] += record
    return [bytes(batch) for batch in batches]


def _variables(request: Request) -> dict[str, str]:
    """The environment that the job adds to the model's."""
    told = {variable: request[name] for variable, name in _TOLD.items() if request.get(name) is not None}
    named = {variable: _STRATEGIES.get(str(value), str(value)) for variable, value in told.items()}
    return {**(request.get("Environment") or {}), **named, "SAGEMAKER_BATCH": "true"}


def _ask(server: ModelServer, key: str, body: bytes, headers: dict[str, str]) -> bytes:
    try:
        answer = server.ask(body, headers)
    except HTTPError as error:
        raise JobFailed(f"AlgorithmError: the container did not answer for {key}: {error}") from error
    if answer.status != 200:  # noqa: PLR2004 - as SageMaker
        text = answer.data.decode(errors="replace")[:512]
        raise JobFailed(f"AlgorithmError: the container answered {answer.status} for {key}: {text}")
    return answer.data

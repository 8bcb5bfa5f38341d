"""Training jobs: channels in, the container's program with ``train``, model.tar.gz out."""

from __future__ import annotations

import re
import tarfile
from typing import TYPE_CHECKING, Any

from moto.core.utils import utcnow

from mlplatform_cdk.local.adapters.jobs.container import require_below
from mlplatform_cdk.local.adapters.jobs.job import Job, JobFailed
from mlplatform_cdk.local.adapters.sagemaker_api import ValidationError, require_instance_type

if TYPE_CHECKING:
    from pathlib import Path

    from mlplatform_cdk.local.adapters.jobs.container import Container
    from mlplatform_cdk.local.adapters.sagemaker_api import Request, Scope
    from mlplatform_cdk.local.process import Child
    from mlplatform_cdk.local.role_storage import RoleStorage

MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds",
}
CHECKPOINTS = "/opt/ml/checkpoints"


class TrainingJob(Job):
    """One training job."""

    KIND = "Training"
    ARN_KIND = "training-job"

    def __init__(self, scope: Scope, request: Request) -> None:
        super().__init__(scope, request)
        _check(request)
        self.metrics: list[dict[str, Any]] = []
        self.transitions: list[dict[str, Any]] = []
        self._pass("Starting")

    @property
    def role_arn(self) -> str:
        """The request's RoleArn."""
        return str(self.request["RoleArn"])

    @property
    def artifacts(self) -> str:
        """Where the model goes."""
        return f"{self._output_path}/model{'' if self._loose else '.tar.gz'}"

    def describe(self) -> dict[str, Any]:
        """With the model's place, the secondary status and the times."""
        answer = super().describe() | {
            "ModelArtifacts": {"S3ModelArtifacts": self.artifacts},
            "SecondaryStatus": self.transitions[-1]["Status"],
            "SecondaryStatusTransitions": [dict(transition) for transition in self.transitions],
            "FinalMetricDataList": self.metrics,
        }
        if self.start_time and self.end_time:
            seconds = round((self.end_time - self.start_time).total_seconds())
            answer |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
        return answer

    def move(self, status: str, failure_reason: str | None = None) -> None:
        """Let the secondary status follow."""
        if self.transitions[-1]["Status"] != "MaxRuntimeExceeded":
            self._pass(status, failure_reason)
        super().move(status, failure_reason)

    def work(self, storage: RoleStorage, container: Container) -> str:
        """Download the channels, train, upload the model."""
        self._pass("Downloading")
        self._prepare(storage, container)
        self.start_time = utcnow()
        self._pass("Training")
        code, outcome = self.watch(self._start(container), container)
        self._read_metrics(container.log_file)
        if outcome == "ended" and code != 0:
            reason = container.message("failure") or ""
            raise JobFailed(f"AlgorithmError: {reason}, exit code: {code}")
        if outcome == "ended":
            self._pass("Uploading")
        self._upload(storage, container)
        if outcome == "too long":
            self._pass("MaxRuntimeExceeded")
        return "Completed" if outcome == "ended" else "Stopped"

    @property
    def _output_path(self) -> str:
        return f"{self.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output"

    @property
    def _loose(self) -> bool:
        return bool(self.request["OutputDataConfig"].get("CompressionType") == "NONE")

    def _pass(self, status: str, message: str | None = None) -> None:
        now = utcnow()
        if self.transitions:
            self.transitions[-1]["EndTime"] = now
        self.transitions.append(
            {"Status": status, "StartTime": now, "StatusMessage": message or MESSAGES.get(status, status)}
        )
        if status in {"Completed", "Failed", "Stopped", "MaxRuntimeExceeded"}:
            self.transitions[-1]["EndTime"] = now

    def _prepare(self, storage: RoleStorage, container: Container) -> None:
        channels = {channel["ChannelName"]: channel for channel in self.request.get("InputDataConfig") or []}
        for name, channel in channels.items():
            source = channel["DataSource"]["S3DataSource"]
            folder = container.path(f"/opt/ml/input/data/{name}")
            folder.mkdir(parents=True, exist_ok=True)
            if source["S3DataType"] == "ManifestFile":
                storage.download_manifest(source["S3Uri"], folder)
            else:
                storage.download(source["S3Uri"], folder)
        checkpoints = self.request.get("CheckpointConfig")
        if checkpoints:
            folder = container.path(checkpoints.get("LocalPath") or CHECKPOINTS)
            folder.mkdir(parents=True, exist_ok=True)
            storage.download_existing(checkpoints["S3Uri"], folder)
        container.write("/opt/ml/input/config/hyperparameters.json", self.request.get("HyperParameters") or {})
        container.write(
            "/opt/ml/input/config/inputdataconfig.json", {name: _channel(entry) for name, entry in channels.items()}
        )
        container.write_hosts(self.request["ResourceConfig"].get("InstanceType", ""))

    def _start(self, container: Container) -> Child:
        specification = self.request["AlgorithmSpecification"]
        return container.start(
            specification["TrainingImage"],
            region=self.scope.region,
            credentials=self.credentials(),
            environment={
                "TRAINING_JOB_NAME": self.name,
                "TRAINING_JOB_ARN": self.arn,
                **(self.request.get("Environment") or {}),
            },
            arguments=specification.get("ContainerArguments") or ["train"],
            entrypoint=specification.get("ContainerEntrypoint"),
        )

    def _upload(self, storage: RoleStorage, container: Container) -> None:
        key = self.request["OutputDataConfig"].get("KmsKeyId") or None
        checkpoints = self.request.get("CheckpointConfig")
        if checkpoints:
            storage.upload(container.path(checkpoints.get("LocalPath") or CHECKPOINTS), checkpoints["S3Uri"], key)
        model, data = container.base / "model", container.base / "output" / "data"
        if self._loose:
            storage.upload(model, self.artifacts, key)
        else:
            storage.put(_pack(model, container.folder / "opt" / "model.tar.gz"), self.artifacts, key)
        if any(data.iterdir()):
            packed = _pack(data, container.folder / "opt" / "output.tar.gz")
            storage.put(packed, f"{self._output_path}/output.tar.gz", key)

    def _read_metrics(self, log_file: Path) -> None:
        definitions = self.request["AlgorithmSpecification"].get("MetricDefinitions") or []
        text = log_file.read_text(errors="replace") if definitions else ""
        for definition in definitions:
            values = re.findall(definition["Regex"], text)
            if values:
                last = {"MetricName": definition["Name"], "Value": float(values[-1]), "Timestamp": utcnow()}
                self.metrics.append(last)


def _check(request: Request) -> None:
    resources = request.get("ResourceConfig")
    if not resources or not request.get("StoppingCondition"):
        raise ValidationError("the embedded AWS needs ResourceConfig and StoppingCondition")
    require_instance_type(resources.get("InstanceType"))
    if resources.get("InstanceGroups") or resources.get("InstanceCount", 1) != 1:
        raise ValidationError("the embedded AWS runs a job on one instance; set InstanceCount to 1")
    if not (request.get("AlgorithmSpecification") or {}).get("TrainingImage"):
        raise ValidationError("the embedded AWS runs training images; set AlgorithmSpecification.TrainingImage")
    for channel in request.get("InputDataConfig") or []:
        mode = channel.get("InputMode") or request["AlgorithmSpecification"]["TrainingInputMode"]
        if mode == "Pipe" or "S3DataSource" not in channel["DataSource"]:
            raise ValidationError(
                f"the embedded AWS reads S3 in File mode, not channel {channel['ChannelName']!r} ({mode})"
            )
    if request.get("CheckpointConfig"):
        require_below(request["CheckpointConfig"].get("LocalPath") or CHECKPOINTS, "/opt/ml")


def _channel(entry: dict[str, Any]) -> dict[str, str]:
    source = entry["DataSource"]["S3DataSource"]
    described = {
        "TrainingInputMode": entry.get("InputMode") or "File",
        "S3DistributionType": source.get("S3DataDistributionType") or "FullyReplicated",
        "RecordWrapperType": entry.get("RecordWrapperType") or "None",
    }
    return described | ({"ContentType": entry["ContentType"]} if entry.get("ContentType") else {})


def _pack(folder: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz", compresslevel=6) as packed:
        for path in sorted(folder.iterdir()):
            packed.add(path, arcname=path.name)
    return archive

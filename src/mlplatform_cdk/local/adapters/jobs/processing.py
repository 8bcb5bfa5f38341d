"""Processing jobs: inputs in, the container's program, outputs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.utils import utcnow

from mlplatform_cdk.local.adapters.jobs.container import require_below
from mlplatform_cdk.local.adapters.jobs.job import Job, JobFailed
from mlplatform_cdk.local.adapters.sagemaker_api import ValidationError, require_instance_type

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.jobs.container import Container
    from mlplatform_cdk.local.adapters.sagemaker_api import Request, Scope
    from mlplatform_cdk.local.role_storage import RoleStorage

FOLDER = "/opt/ml/processing"


class ProcessingJob(Job):
    """One processing job."""

    KIND = "Processing"
    ARN_KIND = "processing-job"

    def __init__(self, scope: Scope, request: Request) -> None:
        super().__init__(scope, request)
        self.exit_message: str | None = None
        _check(request)

    @property
    def role_arn(self) -> str:
        """The request's RoleArn."""
        return str(self.request["RoleArn"])

    def describe(self) -> dict[str, Any]:
        """With the message that the program left."""
        answer = super().describe()
        return answer | {"ExitMessage": self.exit_message} if self.exit_message else answer

    def work(self, storage: RoleStorage, container: Container) -> str:
        """Download, run, upload."""
        specification = self.request["AppSpecification"]
        for entry in self.request.get("ProcessingInputs") or []:
            _download(entry["S3Input"], storage, container)
        for output in _outputs(self.request):
            container.path(output["LocalPath"]).mkdir(parents=True, exist_ok=True)
        container.write("/opt/ml/config/processingjobconfig.json", {"ProcessingJobArn": self.arn, **self.request})
        container.write_hosts(self.request["ProcessingResources"]["ClusterConfig"]["InstanceType"])
        self.start_time = utcnow()
        child = container.start(
            specification["ImageUri"],
            region=self.scope.region,
            credentials=self.credentials(),
            environment={"PROCESSING_JOB_ARN": self.arn, **(self.request.get("Environment") or {})},
            arguments=specification.get("ContainerArguments") or [],
            entrypoint=specification.get("ContainerEntrypoint"),
        )
        code, outcome = self.watch(child, container)
        self.exit_message = container.message("message")
        if outcome != "ended":
            return "Stopped"
        if code != 0:
            raise JobFailed(f"AlgorithmError: See job logs for more information, exit code: {code}")
        for output in _outputs(self.request):
            key = self.request["ProcessingOutputConfig"].get("KmsKeyId")
            storage.upload(container.path(output["LocalPath"]), output["S3Uri"], key)
        return "Completed"


def _check(request: Request) -> None:
    cluster = request["ProcessingResources"]["ClusterConfig"]
    require_instance_type(cluster["InstanceType"])
    if cluster["InstanceCount"] != 1:
        raise ValidationError(
            f"the embedded AWS runs a job on one instance, got InstanceCount {cluster['InstanceCount']}"
        )
    for entry in request.get("ProcessingInputs") or []:
        if entry.get("S3Input") is None:
            raise ValidationError(f"the embedded AWS takes S3Input only, got processing input {entry['InputName']!r}")
        if entry["S3Input"].get("S3InputMode", "File") != "File":
            raise ValidationError("the embedded AWS takes S3InputMode File only")
        require_below(entry["S3Input"]["LocalPath"], FOLDER)
    for output in (request.get("ProcessingOutputConfig") or {}).get("Outputs", []):
        if output.get("S3Output") is None:
            raise ValidationError(f"the embedded AWS takes S3Output only, got output {output['OutputName']!r}")
        require_below(output["S3Output"]["LocalPath"], FOLDER)


def _outputs(request: Request) -> list[dict[str, Any]]:
    return [output["S3Output"] for output in (request.get("ProcessingOutputConfig") or {}).get("Outputs", [])]


def _download(source: dict[str, Any], storage: RoleStorage, container: Container) -> None:
    folder = container.path(source["LocalPath"])
    folder.mkdir(parents=True, exist_ok=True)
    if source["S3DataType"] == "ManifestFile":
        storage.download_manifest(source["S3Uri"], folder)
    else:
        storage.download(source["S3Uri"], folder)

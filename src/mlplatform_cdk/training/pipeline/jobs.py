"""The parameters of the pipeline's SageMaker jobs: the job contract of the library, spelt as the API takes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.core import has_local_storage, is_known, seconds_of
from mlplatform_cdk.foundation import JobNetwork
from mlplatform_cdk.training.resources import ProcessingResources, TrainingResources

Parameters = dict[str, Any]
# SageMaker gives a job's name 63 characters; the run's id has 37 of them, and "-preprocess" is our longest step.
_LONGEST_PREFIX = 14
_INPUT, _OUTPUT = "/opt/ml/processing/input", "/opt/ml/processing/output"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """What all jobs of a pipeline share.

    :param role_arn: who they are.
    :param key_arn: encrypts volumes and outputs.
    :param network: where their network interfaces are; None: in none of the account's VPCs.
    :param isolated: may their containers reach no network at all.
    :param prefix: what the names of the pipeline's jobs begin with.
    """

    role_arn: str
    key_arn: str
    network: JobNetwork | None
    isolated: bool
    prefix: str

    def volume_key(self, instance_type: str) -> Parameters:
        """The volume's key, unless the instance encrypts its own disks, where SageMaker refuses one."""
        if is_known(instance_type) and has_local_storage(instance_type):
            return {}
        return {"VolumeKmsKeyId": self.key_arn}

    def vpc(self) -> Parameters:
        """The VPC, if any."""
        if self.network is None:
            return {}
        subnets, groups = list(self.network.subnet_ids), list(self.network.security_group_ids)
        return {"VpcConfig": {"Subnets": subnets, "SecurityGroupIds": groups}}


def job_prefix(model_name: str) -> str:
    """What the jobs of a model's pipeline begin with, so that its role can name them: the model, or so much as fits."""
    return model_name[:_LONGEST_PREFIX].rstrip("-") if is_known(model_name) else "model"


def job_name(prefix: str, step: str) -> str:
    """The name of the run's job for ``step``, as an intrinsic function."""
    return f"States.Format('{prefix}-{{}}-{step}', $.run.id)"


def under_run(path: str) -> str:
    """The URI of ``path`` among the run's artifacts, as an intrinsic function."""
    return f"States.Format('{{}}{path}', $.run.uri)"


def processing_job(
    settings: JobSettings,
    resources: ProcessingResources,
    *,
    image_uri: str,
    step: str,
    inputs: Mapping[str, str],
    output: str,
    environment: Mapping[str, str],
) -> Parameters:
    """CreateProcessingJob for one step of the library.

    :param inputs: by name, the path or intrinsic function in the state that gives the S3 URI.
    :param output: the name of the output, which goes to the folder of that name among the run's artifacts.
    """
    return {
        "ProcessingJobName.$": job_name(settings.prefix, step),
        "RoleArn": settings.role_arn,
        "AppSpecification": {"ImageUri": image_uri, "ContainerArguments": [step]},
        "Environment": {"RUN_ID.$": "$.run.id", **environment},
        "ProcessingInputs": [_processing_input(name, uri) for name, uri in inputs.items()],
        "ProcessingOutputConfig": {
            "KmsKeyId": settings.key_arn,
            "Outputs": [
                {
                    "OutputName": output,
                    "S3Output": {
                        "S3Uri.$": under_run(f"{output}/"),
                        "LocalPath": f"{_OUTPUT}/{output}",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ],
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": resources.instance_type,
                "VolumeSizeInGB": resources.volume_gib,
                **settings.volume_key(resources.instance_type),
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": seconds_of(resources.max_runtime)},
        "NetworkConfig": {"EnableNetworkIsolation": settings.isolated, **settings.vpc()},
        "Tags": _tags(),
    }


def training_job(
    settings: JobSettings, resources: TrainingResources, *, image_uri: str, environment: Mapping[str, str]
) -> Parameters:
    """CreateTrainingJob, with no field that the integration of Step Functions may not know: that ends a run untold."""
    return {
        "TrainingJobName.$": job_name(settings.prefix, "train"),
        "RoleArn": settings.role_arn,
        "AlgorithmSpecification": {"TrainingImage": image_uri, "TrainingInputMode": "File"},
        "HyperParameters.$": "$.request.hyperparameters",
        "Environment": {"RUN_ID.$": "$.run.id", "DATASET_URI.$": "$.request.dataset_uri", **environment},
        "InputDataConfig": [
            {
                "ChannelName": "dataset",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri.$": under_run("dataset/"),
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath.$": under_run("model/"), "KmsKeyId": settings.key_arn},
        "ResourceConfig": {
            "InstanceCount": resources.instance_count,
            "InstanceType": resources.instance_type,
            "VolumeSizeInGB": resources.volume_gib,
            **settings.volume_key(resources.instance_type),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": seconds_of(resources.max_runtime)},
        "EnableNetworkIsolation": settings.isolated,
        "Tags": _tags(),
        **({"EnableInterContainerTrafficEncryption": True} if resources.instance_count > 1 else {}),
        **settings.vpc(),
    }


def _processing_input(name: str, uri: str) -> Parameters:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri.$": uri,
            "LocalPath": f"{_INPUT}/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        },
    }


def _tags() -> list[Parameters]:
    return [{"Key": "mlplatform:run-id", "Value.$": "$.run.id"}]

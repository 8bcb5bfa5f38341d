"""A user's app: models are quantized before they are judged, and compiled where an environment serves on GPUs."""

from pathlib import Path

from aws_cdk import App, CfnOutput, Duration, Environment, RemovalPolicy
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from mlplatform_cdk.core import PlatformImage
from mlplatform_cdk.data import DataLake, Dataset
from mlplatform_cdk.foundation import AccessLogs, ArtifactStore, Keys, PlatformStack
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.serving import Processor, ServingImage
from mlplatform_cdk.training import (
    EngineCompilation,
    JobImage,
    ProcessingResources,
    Quantization,
    RetrainingPipeline,
)


class ReworkedStack(PlatformStack):
    """Two pipelines: a network of the folder ``trainer`` for CPUs, the library's small model for GPUs."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, env=Environment(account="123456789012", region="us-east-1"))
        key = Keys(self, "Keys", removal_policy=RemovalPolicy.DESTROY).data
        logs = AccessLogs(self, "AccessLogs", removal_policy=RemovalPolicy.DESTROY)
        lake = DataLake(self, "DataLake", key=key, access_logs=logs, removal_policy=RemovalPolicy.DESTROY)
        artifacts = ArtifactStore(self, "Artifacts", key=key, access_logs=logs, removal_policy=RemovalPolicy.DESTROY)
        models = ModelRegistry(
            self, "Registry", model_package_group_name="reworked", removal_policy=RemovalPolicy.DESTROY
        )
        serving, jobs = ServingImage(self, "ServingImage"), JobImage(self, "JobImage")
        compiling = ServingImage(
            self, "GpuImage", processor=Processor.NVIDIA_GPU, base_image="nvcr.io/nvidia/tensorrt:25.10-py3"
        )
        trainer = ecr_assets.DockerImageAsset(self, "Trainer", directory=str(Path(__file__).parent / "trainer"))
        network = RetrainingPipeline(
            self,
            "Network",
            registry=models,
            lake=lake,
            artifacts=artifacts,
            dataset=Dataset(prefix="raw/network/", label_column="diagnosis"),
            model_name="network",
            inference_image=serving,
            job_image=jobs,
            training_image=PlatformImage.from_repository(
                self, "TrainingImage", trainer.repository, tag=trainer.image_tag
            ),
            hyperparameters={"width": "1024"},
            quantization=Quantization(precisions=("int8", "fp16"), tolerance=0.05),
            key=key,
            quiet_period=Duration.seconds(10),
        )
        small = RetrainingPipeline(
            self,
            "Small",
            registry=models,
            lake=lake,
            artifacts=artifacts,
            dataset=Dataset(prefix="raw/small/", label_column="diagnosis"),
            model_name="small",
            inference_image=compiling,
            job_image=jobs,
            quantization=Quantization(),
            compilation=EngineCompilation(resources=ProcessingResources(instance_type="ml.g5.xlarge")),
            key=key,
            quiet_period=Duration.seconds(10),
        )
        for name, value in {
            "Lake": lake.bucket_name,
            "Bucket": artifacts.bucket_name,
            "Models": models.model_package_group_name,
            "NetworkPipeline": network.state_machine.state_machine_arn,
            "SmallPipeline": small.state_machine.state_machine_arn,
        }.items():
            CfnOutput(self, name, value=value)


app = App()
ReworkedStack(app, "Reworked")
app.synth()

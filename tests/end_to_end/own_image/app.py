"""A user's app: the library's pipeline, with a training image of the user's own."""

from pathlib import Path

from aws_cdk import App, CfnOutput, Duration, Environment, RemovalPolicy
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from mlplatform_cdk.core import PlatformImage
from mlplatform_cdk.data import DataLake, Dataset
from mlplatform_cdk.foundation import AccessLogs, ArtifactStore, Keys, PlatformStack
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.serving import ServingImage
from mlplatform_cdk.training import RetrainingPipeline


class OwnImageStack(PlatformStack):
    """A pipeline whose training step is the folder ``trainer``."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, env=Environment(account="123456789012", region="us-east-1"))
        key = Keys(self, "Keys", removal_policy=RemovalPolicy.DESTROY).data
        logs = AccessLogs(self, "AccessLogs", removal_policy=RemovalPolicy.DESTROY)
        lake = DataLake(self, "DataLake", key=key, access_logs=logs, removal_policy=RemovalPolicy.DESTROY)
        models = ModelRegistry(
            self, "Registry", model_package_group_name="own-image", removal_policy=RemovalPolicy.DESTROY
        )
        trainer = ecr_assets.DockerImageAsset(self, "Trainer", directory=str(Path(__file__).parent / "trainer"))
        pipeline = RetrainingPipeline(
            self,
            "Retraining",
            registry=models,
            lake=lake,
            artifacts=ArtifactStore(self, "Artifacts", key=key, access_logs=logs, removal_policy=RemovalPolicy.DESTROY),
            dataset=Dataset(prefix="raw/own/", label_column="diagnosis"),
            model_name="own",
            inference_image=ServingImage(self, "ServingImage"),
            key=key,
            training_image=PlatformImage.from_repository(
                self, "TrainingImage", trainer.repository, tag=trainer.image_tag
            ),
            hyperparameters={"sides": "2"},
            quiet_period=Duration.seconds(10),
        )
        for name, value in {
            "Lake": lake.bucket_name,
            "Models": models.model_package_group_name,
            "Pipeline": pipeline.state_machine.state_machine_arn,
            "Topic": pipeline.notifications.topic_arn,
        }.items():
            CfnOutput(self, name, value=value)


app = App()
OwnImageStack(app, "OwnImage")
app.synth()

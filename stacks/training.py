"""The stack of the pipeline that makes models; it can be replaced without touching data, models or endpoints."""

from constructs import Construct

from mlplatform_cdk.foundation import PlatformStack, publish
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.resilience import Teardown
from mlplatform_cdk.serving import ServingImage
from mlplatform_cdk.training import ProcessingResources, RetrainingPipeline, TrainingResources
from stacks import breast_cancer
from stacks.environments import PlatformEnvironment
from stacks.published import Published


class TrainingStack(PlatformStack):
    """Retrains the model when data has arrived, and registers what is good enough."""

    def __init__(self, scope: Construct, id: str, *, environment: PlatformEnvironment) -> None:
        super().__init__(scope, id, env=environment.aws)
        below = Published(self, "Published", environment=environment)
        pipeline = RetrainingPipeline(
            self,
            "Retraining",
            registry=ModelRegistry.from_group_name(self, "Registry", breast_cancer.group_name(environment)),
            lake=below.lake,
            artifacts=below.artifacts,
            dataset=breast_cancer.DATASET,
            model_name=breast_cancer.NAME,
            inference_image=ServingImage(self, "ServingImage"),
            key=below.key,
            training=TrainingResources(instance_type=environment.training_instance),
            processing=ProcessingResources(instance_type=environment.processing_instance),
            evaluation=breast_cancer.EVALUATION,
            network=below.network,
            notifications=below.notifications,
            quiet_period=environment.quiet_period,
        )
        publish(self, environment.parameter("training", "pipeline-arn"), pipeline.state_machine.state_machine_arn)
        Teardown(self, "Teardown", key=below.key, pipelines=[pipeline])

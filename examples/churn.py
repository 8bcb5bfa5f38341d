"""A model of your own: retrained whenever data arrives, approved by a rule, released without a gap."""

from aws_cdk import App, Stack

from mlplatform_cdk.data import DataLake, Dataset
from mlplatform_cdk.foundation import ArtifactStore, Keys, Network
from mlplatform_cdk.registry import ApprovalRule, ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.serving import ReleasedEndpoint, ServingImage
from mlplatform_cdk.training import RetrainingPipeline

app = App()
stack = Stack(app, "Churn")
key = Keys(stack, "Keys").data
network = Network(stack, "Network", key=key).job_network
artifacts = ArtifactStore(stack, "Artifacts", key=key)
registry = ModelRegistry(
    stack,
    "Models",
    model_package_group_name="churn",
    auto_approve=ApprovalRule(metric="roc_auc", at_least=0.8),
    key=key,
)
RetrainingPipeline(
    stack,
    "Retraining",
    lake=DataLake(stack, "Lake", key=key),
    dataset=Dataset(prefix="raw/churn/", label_column="churned"),
    artifacts=artifacts,
    registry=registry,
    model_name="churn",
    inference_image=ServingImage(stack, "Image"),
    network=network,
    key=key,
)
endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name="churn", artifacts=artifacts, network=network, key=key)
BlueGreenRelease(stack, "Release", endpoint=endpoint, registry=registry, artifacts=artifacts)
app.synth()

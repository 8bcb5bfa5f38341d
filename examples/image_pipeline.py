"""AWS builds, signs and copies the serving image, and each model is quantized for it; Docker builds the jobs' image."""

from aws_cdk import App, Stack

from mlplatform_cdk.data import DataLake, Dataset
from mlplatform_cdk.foundation import ArtifactStore, Keys, Network
from mlplatform_cdk.registry import ApprovalRule, ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.serving import ImagePipeline, ImageRegistry, ReleasedEndpoint
from mlplatform_cdk.training import Quantization, RetrainingPipeline

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
rules = ImageRegistry(stack, "Registry", prefix="mlplatform", copies_to=["eu-west-1"])
image = ImagePipeline(stack, "Image", registry=rules, name="serving", key=key)
RetrainingPipeline(
    stack,
    "Retraining",
    lake=DataLake(stack, "Lake", key=key),
    dataset=Dataset(prefix="raw/churn/", label_column="churned"),
    artifacts=artifacts,
    registry=registry,
    model_name="churn",
    inference_image=image,
    quantization=Quantization(tolerance=0.005),
    network=network,
    key=key,
)
endpoint = ReleasedEndpoint(
    stack, "Endpoint", endpoint_name="churn", artifacts=artifacts, image=image, network=network, key=key
)
BlueGreenRelease(stack, "Release", endpoint=endpoint, registry=registry, artifacts=artifacts)
app.synth()

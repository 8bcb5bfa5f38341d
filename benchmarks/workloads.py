"""What is synthesized: the platform as it is, with more models, and in more regions."""

from collections.abc import Callable
from dataclasses import replace

from aws_cdk import App, Stack, aws_kms, aws_s3

from mlplatform_cdk.data import Dataset
from mlplatform_cdk.registry import ApprovalRule, ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.serving import ReleasedEndpoint, ServingImage
from mlplatform_cdk.training import RetrainingPipeline
from stacks.environments import DEV
from stacks.stage import PlatformStage

REGIONS = ("us-east-1", "eu-west-1", "us-west-2", "eu-central-1")


def load(name: str, number: int) -> Callable[[App], None]:
    """The workload ``name``, in size ``number``."""
    return {"platform": regions, "regions": regions, "models": models}[name](number)


def regions(number: int) -> Callable[[App], None]:
    """The whole dev platform, a stage per region."""

    def build(app: App) -> None:
        for region in REGIONS[:number]:
            suffix = "" if region == DEV.region else f"-{region}"
            PlatformStage(app, f"MlPlatform-Dev{suffix}", environment=replace(DEV, region=region))

    return build


def models(number: int) -> Callable[[App], None]:
    """A stack per model: its registry, its pipeline, its endpoint and its releases."""

    def build(app: App) -> None:
        for index in range(number):
            _model(Stack(app, f"Model{index}", env=DEV.aws), f"model-{index}")

    return build


def _model(stack: Stack, name: str) -> None:
    key = aws_kms.Key.from_key_arn(stack, "Key", f"arn:aws:kms:{DEV.region}:{DEV.account}:key/data")
    lake = aws_s3.Bucket.from_bucket_attributes(stack, "Lake", bucket_name="lake", encryption_key=key)
    artifacts = aws_s3.Bucket.from_bucket_attributes(stack, "Artifacts", bucket_name="artifacts", encryption_key=key)
    registry = ModelRegistry(
        stack, "Models", model_package_group_name=name, auto_approve=ApprovalRule(metric="roc_auc", at_least=0.8)
    )
    RetrainingPipeline(
        stack,
        "Retraining",
        lake=lake,
        dataset=Dataset(prefix=f"raw/{name}/", label_column="label"),
        artifacts=artifacts,
        registry=registry,
        model_name=name,
        inference_image=ServingImage(stack, "Image"),
        key=key,
    )
    endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name=name, artifacts=artifacts, key=key)
    BlueGreenRelease(stack, "Release", endpoint=endpoint, registry=registry, artifacts=artifacts)

"""A stack with one pipeline in it, and what the assertions read from it."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Environment
from aws_cdk.assertions import Template

from mlplatform_cdk.core import PlatformImage
from mlplatform_cdk.data import DataLake, Dataset
from mlplatform_cdk.foundation import ArtifactStore, Keys, PlatformStack
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.training import RetrainingPipeline
from tests.contracts.rendering import machines

SERVING_IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/serving:7"
Build = Callable[..., "Built"]


class Built:
    """A synthesized pipeline."""

    def __init__(self, **arguments: Any) -> None:
        region = arguments.pop("region", "eu-west-1")
        self.stack = PlatformStack(App(), "Training", env=Environment(account="123456789012", region=region))
        key = Keys(self.stack, "Keys").data
        image = arguments.pop("training_image_uri", None)
        if image:
            arguments["training_image"] = PlatformImage.from_uri(self.stack, "Theirs", image)
        serving = arguments.pop(
            "inference_image", lambda stack: PlatformImage.from_uri(stack, "Serving", SERVING_IMAGE)
        )
        self.pipeline = RetrainingPipeline(
            self.stack,
            "Churn",
            registry=ModelRegistry.from_group_name(self.stack, "Registry", "churn"),
            lake=DataLake(self.stack, "Lake", key=key),
            artifacts=ArtifactStore(self.stack, "Artifacts", key=key),
            dataset=Dataset(prefix="raw/churn/", label_column="left"),
            model_name=arguments.pop("model_name", "churn"),
            inference_image=serving(self.stack),
            key=key,
            **arguments,
        )
        self.template = Template.from_stack(self.stack)
        ((self.machine, self.definition),) = machines(self.template.to_json()).items()

    def state(self, name: str) -> dict[str, Any]:
        state: dict[str, Any] = self.definition["States"][name]
        return state


@pytest.fixture(scope="session")
def build() -> Build:
    """Build a pipeline with these arguments; the plain one is built once."""
    plain: list[Built] = []

    def make(**arguments: Any) -> Built:
        if arguments:
            return Built(**arguments)
        if not plain:
            plain.append(Built())
        return plain[0]

    return make

"""A pipeline over three small environments, in two accounts and two regions, synthesized once."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack, Stage, Validations
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_sns as sns
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks
from constructs import Construct

from mlplatform_cdk.delivery import ConnectionSource, Delivery, DeliveryPipeline

ROOT = Path(__file__).parents[2]
CONTEXT = json.loads((ROOT / "cdk.json").read_text())["context"]
HOME = Environment(account="111122223333", region="us-east-1")
ABROAD = Environment(account="444455556666", region="eu-west-1")
CONNECTION = "arn:aws:codeconnections:us-east-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef"
SOURCE = ConnectionSource(connection_arn=CONNECTION, owner="company", repository="churn", branch="release/2026")


def small_stage(name: str, where: Environment, image: Path) -> Callable[[Construct], Stage]:
    """A stage with a file and an image to publish."""

    def make(app: Construct) -> Stage:
        stage = Stage(app, name, env=where)
        stack = Stack(stage, "Things")
        sns.Topic(stack, "Topic")
        s3_assets.Asset(stack, "File", path=str(image / "Dockerfile"))
        ecr_assets.DockerImageAsset(stack, "Image", directory=str(image))
        return stage

    return make


@dataclass(frozen=True)
class Pipeline:
    folder: Path

    @property
    def template(self) -> Mapping[str, Any]:
        return json.loads((self.folder / "Delivery.template.json").read_text())

    @property
    def findings(self) -> list[str]:
        report = json.loads((self.folder / "validation-report.json").read_text())
        return [
            f"{violation['ruleName']} at {construct['constructPath']}"
            for plugin in report["pluginReports"]
            for violation in plugin["violations"]
            for construct in violation["violatingConstructs"]
        ]


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    (folder / "Dockerfile").write_text("FROM scratch\n")
    return folder


@pytest.fixture(scope="session")
def synthesize(image: Path) -> Callable[[Path], Pipeline]:
    def into(folder: Path) -> Pipeline:
        app = App(context=CONTEXT, outdir=str(folder))
        for checks in (AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks):
            Validations.of(app).add_plugins(checks(app))
        stack = Stack(app, "Delivery", env=HOME)
        DeliveryPipeline(
            stack,
            "Pipeline",
            source=SOURCE,
            deliveries=[
                Delivery(stage=small_stage("Dev", HOME, image), train="churn-train"),
                Delivery(stage=small_stage("Staging", ABROAD, image)),
                Delivery(stage=small_stage("Prod", ABROAD, image), gate="Staging served a day without an alarm"),
            ],
            notifications=sns.Topic.from_topic_arn(stack, "People", "arn:aws:sns:us-east-1:111122223333:people"),
        )
        try:
            app.synth()
        except RuntimeError as failure:
            if "ValidationFailed" not in str(failure):
                raise
        return Pipeline(folder)

    return into


@pytest.fixture(scope="session")
def pipeline(synthesize: Callable[[Path], Pipeline], tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return synthesize(tmp_path_factory.mktemp("delivery") / "cdk.out")

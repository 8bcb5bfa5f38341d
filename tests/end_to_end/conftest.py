"""The demo's path, walked once, and the platform that it leaves behind: every module here looks at the same one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mlplatform_cdk.assembly import read
from mlplatform_cdk.cli.demo.executions import Executions
from mlplatform_cdk.cli.demo.platform import DeployedPlatform
from mlplatform_cdk.cli.demo.report import DemoReport, StackReport
from mlplatform_cdk.cli.demo.screen import Screen
from mlplatform_cdk.cli.demo.verb import walk
from mlplatform_cdk.local import deploy, server
from mlplatform_cdk.local.settings import Settings
from tests.end_to_end.rehearsal import Inbox, Rehearsal, packages_of

# A second of a Wait state or a queue's delay takes this long: a minute's quiet period is over after a second.
CLOCK_FACTOR = 0.02


@pytest.fixture(scope="session")
def rehearsal(dev_assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """The dev environment, deployed, and walked through from an object in the lake to a prediction and a refusal."""
    assembly = read(dev_assembly)
    settings = Settings(state_dir=tmp_path_factory.mktemp("rehearsal"), clock_factor=CLOCK_FACTOR)
    with server.start(settings) as aws:
        deployed = deploy.deploy(assembly, aws.settings)
        report = DemoReport(environment="dev", machine={})
        report.stacks = [
            StackReport(name=one.name, resources=one.resources, seconds=one.seconds) for one in deployed.stacks
        ]
        platform = DeployedPlatform(
            endpoint_url=aws.endpoint_url,
            region=aws.settings.region,
            account=aws.settings.account,
            environment=report.environment,
        )
        inbox = Inbox(platform.client, platform.parameter("foundation/notifications-topic-arn"))
        walk(report, Screen(Console(quiet=True), report), platform)
        steps = platform.client("stepfunctions")
        yield Rehearsal(
            settings=aws.settings,
            assembly=assembly,
            platform=platform,
            report=report,
            live=_state_of(platform, report),
            inbox=inbox,
            retraining=Executions(steps, platform.parameter("training/pipeline-arn"), "retraining"),
            releases=Executions(steps, platform.parameter("serving/release-arn"), "release"),
        )


def _state_of(platform: DeployedPlatform, report: DemoReport) -> dict[str, Any]:
    """What AWS's own calls say of the model and the endpoint, before a test changes them."""
    assert report.model is not None
    sagemaker = platform.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName=platform.parameter("serving/endpoint-name"))
    configuration = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    (variant,) = configuration["ProductionVariants"]
    group = platform.parameter("registry/model-package-group")
    return {
        "packages": packages_of(sagemaker, group),
        "package": sagemaker.describe_model_package(ModelPackageName=report.model.arn),
        "endpoint": endpoint,
        "configuration": configuration,
        "model": sagemaker.describe_model(ModelName=variant["ModelName"]),
    }

"""The demo's path, walked once, and the platform that it leaves behind: every module here looks at the same one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mlplatform_cdk.assembly import Assembly, read
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


class Rehearsals:
    """The platform that stands, made when it is first asked for, and again once it was taken away.

    :param assembly: the cloud assembly of the dev environment.
    :param folder: makes a folder for an embedded AWS.
    """

    def __init__(self, assembly: Path, folder: Callable[[], Path]) -> None:
        self._assembly = assembly
        self._folder = folder
        self._standing: Rehearsal | None = None
        self._servers = ExitStack()

    def standing(self) -> Rehearsal:
        """The platform that all modules look at, one after the other."""
        if self._standing is None:
            settings = Settings(state_dir=self._folder(), clock_factor=CLOCK_FACTOR)
            aws = self._servers.enter_context(server.start(settings))
            self._standing = _walked(read(self._assembly), aws.settings)
        return self._standing

    def take_away(self) -> None:
        """End the embedded AWS and all that stood on it."""
        self._servers.close()
        self._standing = None


@pytest.fixture(scope="session")
def rehearsals(dev_assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsals]:
    """One embedded AWS at a time."""
    made = Rehearsals(dev_assembly, lambda: tmp_path_factory.mktemp("rehearsal"))
    yield made
    made.take_away()


@pytest.fixture(scope="module")
def rehearsal(rehearsals: Rehearsals) -> Rehearsal:
    """The dev environment, deployed, and walked through from an object in the lake to a prediction and a refusal."""
    return rehearsals.standing()


@pytest.fixture(scope="module")
def last_rehearsal(rehearsals: Rehearsals) -> Iterator[Rehearsal]:
    """The same, for a module after which nobody can use it."""
    yield rehearsals.standing()
    rehearsals.take_away()


def _walked(assembly: Assembly, settings: Settings) -> Rehearsal:
    deployed = deploy.deploy(assembly, settings)
    report = DemoReport(environment="dev", machine={})
    report.stacks = [
        StackReport(name=one.name, resources=one.resources, seconds=one.seconds) for one in deployed.stacks
    ]
    platform = DeployedPlatform(
        endpoint_url=settings.endpoint_url,
        region=settings.region,
        account=settings.account,
        environment=report.environment,
    )
    inbox = Inbox(platform.client, platform.parameter("foundation/notifications-topic-arn"))
    walk(report, Screen(Console(quiet=True), report), platform)
    steps = platform.client("stepfunctions")
    return Rehearsal(
        settings=settings,
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

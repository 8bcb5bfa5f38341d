"""Whole trains on the embedded AWS, from the deployed templates, between two environments in two regions.

The embedded AWS is a rehearsal: what AWS itself does is not shown by it.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, RemovalPolicy
from typer.testing import CliRunner

from mlplatform_cdk.assembly import Assembly, read
from mlplatform_cdk.cli.main import app
from mlplatform_cdk.foundation import Notifications
from mlplatform_cdk.local import deploy, server
from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.local.settings import Settings, client_environment
from mlplatform_cdk.release import BlueGreenRelease, Strategy
from mlplatform_cdk.release.train import ReleaseTrain, Stop, TrainStation, Wave
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME
from mlplatform_cdk.serving import ReleasedEndpoint, ServingImage
from tests.release import platforms
from tests.serving import small_models

ABROAD, GROUP, EXTERNAL_ID = "eu-west-1", "churn", "train/7f3a9c"
STOPS = {"staging": "us-east-1", "prod-eu": ABROAD}
PATIENCE_S = 60.0
# All at once and no bake, yet the version before stays beside the new one for a day: a way back.
STRATEGY = Strategy.all_at_once(
    observe=timedelta(0), bake=timedelta(0), retention=timedelta(days=1), warm_up_requests=0
)


@dataclass
class Railway:
    """The deployed train with its two stations, and what a person would do with them."""

    aws: Administrator
    outputs: dict[str, dict[str, str]]
    model: Path
    made: int = 0

    def register(self) -> str:
        """An approved version at home."""
        self.made += 1
        home = self.outputs["Home"]
        return platforms.register(
            self.aws,
            f"run-{self.made}",
            group=GROUP,
            bucket=home["Bucket"],
            image=home["ImageUri"],
            archive=self._pack(),
            manifest=(self.model / MANIFEST_NAME).read_bytes(),
            approval="Approved",
        )

    def send(self, **request: str) -> str:
        """Send a train off."""
        train = self.outputs["Home"]["TrainArn"]
        execution: str = self.aws.client("stepfunctions").start_execution(
            stateMachineArn=train, input=json.dumps(request)
        )["executionArn"]
        return execution

    def end_of(self, execution: str) -> dict[str, Any]:
        return platforms.end_of(self.aws, execution, patience_s=PATIENCE_S)

    def releases(self, name: str) -> list[dict[str, Any]]:
        """The releases of a stop, the newest first."""
        client = self.aws.client("stepfunctions", STOPS[name])
        found: list[dict[str, Any]] = client.list_executions(stateMachineArn=self.outputs[name]["Machine"])[
            "executions"
        ]
        return found

    def serving(self, name: str) -> str:
        """The home version that has the traffic of a stop."""
        sagemaker = self.aws.client("sagemaker", STOPS[name])
        live = sagemaker.describe_endpoint(EndpointName=f"{name}-churn")
        config = sagemaker.describe_endpoint_config(EndpointConfigName=live["EndpointConfigName"])
        models = {one["VariantName"]: one["ModelName"] for one in config["ProductionVariants"]}
        (variant,) = [one["VariantName"] for one in live["ProductionVariants"] if one.get("CurrentWeight", 0) > 0]
        model = sagemaker.describe_model(ModelName=models[variant])
        package = sagemaker.describe_model_package(
            ModelPackageName=model["PrimaryContainer"]["Environment"]["MODEL_PACKAGE_ARN"]
        )
        source: str = package["CustomerMetadataProperties"]["promoted_from"]
        return source

    def approve(self, execution: str) -> None:
        """Say yes to the wave of a train that waits, once it shows that it does."""
        seen = self.until(
            lambda: (
                (one := json.loads(self.verb("status", "--json")))["release"] == execution
                and one["gate"]
                and one["percent"] == 50.0  # the record of the first wave may come a moment after the gate's
                and one
            )
        )
        assert seen["status"] == "RUNNING"
        assert "goes on" in self.verb("approve", "--gate", seen["gate"]["id"], "--reason", "it looks right")

    def verb(self, *arguments: str) -> str:
        """What a verb of ``mlplatform release`` says of the train."""
        verb, *options = arguments
        environment = client_environment(self.aws.settings)
        with pytest.MonkeyPatch.context() as patch:
            for name in [one for one in environment if one.startswith("AWS_")]:
                patch.setenv(name, environment[name])
            aws.client.cache_clear()
            result = CliRunner().invoke(app, ["release", verb, "churn-train", *options])
        aws.client.cache_clear()
        assert result.exit_code == 0, result.output
        return result.stdout

    def decisions(self, execution: str) -> list[str]:
        """What the records say of a train, oldest first."""
        found = self.aws.client("dynamodb").scan(TableName=self.outputs["Home"]["RecordsTable"])["Items"]
        these = [one for one in found if one.get("release", {}).get("S") == execution and "step" in one]
        return [one["decision"]["S"] for one in sorted(these, key=lambda one: one["at"]["S"])]

    def until(self, seen: Callable[[], Any]) -> Any:
        return platforms.until(seen, PATIENCE_S)

    def _pack(self) -> bytes:
        """An archive that no other version has."""
        path = self.model.parent / f"model-{self.made}.tar.gz"
        with tarfile.open(path, "w:gz") as packed:
            for file in sorted(self.model.iterdir()):
                packed.add(file, file.name)
        return path.read_bytes()


@pytest.fixture(scope="module")
def railway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Railway]:
    folder = tmp_path_factory.mktemp("railway")
    settings = Settings(
        state_dir=tmp_path_factory.mktemp("aws"), clock_factor=0.02, longest_wait_s=1.0, longest_answer_s=60.0
    )
    model = small_models.save(folder / "model")
    with server.start(settings) as running:
        report = deploy.deploy(_synthesize(folder / "cdk.out", settings), running.settings)
        outputs = {one.name: dict(one.outputs) for one in report.stacks}
        yield Railway(Administrator(running.settings), outputs, model)


def _synthesize(outdir: Path, settings: Settings) -> Assembly:
    app = App(outdir=str(outdir))
    _home(app, settings)
    for name, region in STOPS.items():
        _station(app, name, Environment(account=settings.account, region=region))
    app.synth()
    return read(outdir)


def _home(app: App, settings: Settings) -> None:
    where = Environment(account=settings.account, region=settings.region)
    base = platforms.base(app, "Home", where, group=GROUP)
    stack, key, artifacts = base.stack, base.key, base.artifacts
    image = ServingImage(stack, "Image")
    records = base.records()
    stops = {
        name: Stop(
            name=name,
            account=settings.account,
            region=region,
            endpoint_name=f"{name}-churn",
            external_id=EXTERNAL_ID,
        )
        for name, region in STOPS.items()
    }
    train = ReleaseTrain(
        stack,
        "Train",
        waves=[
            Wave(name="staging", stops=[stops["staging"]]),
            Wave(name="europe", stops=[stops["prod-eu"]], approval=timedelta(hours=8)),
        ],
        registry=base.registry,
        artifacts=artifacts,
        image=image,
        records=records,
        key=key,
        patience=timedelta(hours=2),
        notifications=Notifications(stack, "Topic", key=key),
    )
    base.say(
        {
            "Bucket": artifacts.bucket_name,
            "ImageUri": image.image_uri,
            "TrainArn": train.state_machine.state_machine_arn,
            "RecordsTable": records.table_name,
        }
    )


def _station(app: App, name: str, where: Environment) -> None:
    base = platforms.base(app, name, where, group=f"{name}-churn")
    stack, key, artifacts, registry = base.stack, base.key, base.artifacts, base.registry
    endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name=f"{name}-churn", artifacts=artifacts, key=key)
    release = BlueGreenRelease(
        stack,
        "Release",
        endpoint=endpoint,
        registry=registry,
        artifacts=artifacts,
        strategy=STRATEGY,
        records=base.records(),
    )
    TrainStation(
        stack,
        "Station",
        endpoint=endpoint,
        release=release,
        registry=registry,
        artifacts=artifacts,
        train_account=str(where.account),
        external_id=EXTERNAL_ID,
        removal_policy=RemovalPolicy.DESTROY,
    )
    base.say({"Machine": release.state_machine.state_machine_arn})


def test_a_version_arrives_everywhere_and_somebody_is_asked_on_the_way(railway: Railway) -> None:
    version = railway.register()

    train = railway.send(model_package_arn=version, who="Ada")
    railway.approve(train)
    ended = railway.end_of(train)

    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert {railway.serving(name) for name in STOPS} == {version}
    assert railway.decisions(train)[1:] == ["depart", "ask", "approved", "depart", "arrived"]
    # The train starts the releases; the approval at a station starts none.
    assert [len(railway.releases(name)) for name in STOPS] == [1, 1]


def test_when_the_second_wave_fails_the_first_one_goes_back(railway: Railway) -> None:
    before = railway.serving("staging")
    version = railway.register()

    train = railway.send(model_package_arn=version)
    railway.approve(train)
    assert railway.serving("staging") == version
    (running,) = railway.until(lambda: [one for one in railway.releases("prod-eu") if one["status"] == "RUNNING"])
    railway.aws.client("stepfunctions", ABROAD).stop_execution(
        executionArn=running["executionArn"], error="Release.Aborted", cause="Bob: the numbers look odd"
    )
    ended = railway.end_of(train)

    assert (ended["status"], ended["error"]) == ("FAILED", "Train.WaveFailed")
    assert "wave europe failed at prod-eu: ABORTED" in ended["cause"]
    assert ended["cause"].endswith(
        "; prod-eu, staging went back"
    )  # asked, too: it might have failed after green had all
    railway.until(lambda: railway.serving("prod-eu") == before)
    assert railway.serving("staging") == before
    assert railway.decisions(train)[-2:] == ["return", "failed"]


def test_a_version_that_serves_everywhere_goes_nowhere_and_the_next_train_waits_for_its_end(railway: Railway) -> None:
    known = {name: len(railway.releases(name)) for name in STOPS}
    rejected = railway.register()

    train = railway.send(model_package_arn=railway.serving("staging"))
    next_one = railway.send(model_package_arn=rejected)
    railway.until(lambda: railway.decisions(next_one) == ["wait"])
    railway.aws.client("sagemaker").update_model_package(ModelPackageArn=rejected, ModelApprovalStatus="Rejected")
    railway.approve(train)

    assert railway.end_of(train)["status"] == "SUCCEEDED"
    ended = railway.end_of(next_one)
    assert (ended["status"], ended["error"]) == ("FAILED", "Train.Lost")
    assert "must be Approved to go by train, got Rejected" in ended["cause"]
    assert {name: len(railway.releases(name)) for name in STOPS} == known

"""The demo from its first line to its last."""

import json
import os
import platform as machine
import tempfile
import time
from pathlib import Path

import psutil

from mlplatform_cdk.assembly import read
from mlplatform_cdk.cli.console import ERR, OUT, CommandFailed
from mlplatform_cdk.cli.demo.data import FILE, breast_cancer_csv
from mlplatform_cdk.cli.demo.executions import Executions, output_of
from mlplatform_cdk.cli.demo.memory import PeakMemory
from mlplatform_cdk.cli.demo.platform import DeployedPlatform
from mlplatform_cdk.cli.demo.report import DemoReport, StackReport, StepFailed
from mlplatform_cdk.cli.demo.results import show
from mlplatform_cdk.cli.demo.screen import Screen
from mlplatform_cdk.cli.deployments import at_place_of, not_honoured
from mlplatform_cdk.cli.synth import assembly_of

PATIENCE_SECONDS = 120.0
# One stump: it cannot hold its own against what serves by now.
WORSE = {"algorithm": "random-forest", "n_estimators": "1", "max_depth": "1"}
SHOWN_PREDICTIONS = 5


def run_demo(environment: str, *, as_json: bool) -> None:
    """Rehearse ``environment`` and show what came of it, for people or as JSON."""
    report = DemoReport(
        environment=environment,
        machine={
            "cores": os.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
            "system": machine.system(),
            "processor": machine.machine(),
            "python": machine.python_version(),
        },
    )
    screen = Screen(ERR, report)
    began = time.monotonic()
    with PeakMemory() as memory, tempfile.TemporaryDirectory(prefix="mlplatform-demo-") as folder:
        try:
            with screen.running():
                rehearse(report, screen, Path(folder))
            report.succeeded = True
        except StepFailed as failure:
            report.failed_step, report.reason = failure.step, failure.reason
    report.seconds, report.peak_memory_mib = time.monotonic() - began, memory.mib
    if as_json:
        OUT.print(report.to_json(), markup=False, soft_wrap=True)
    else:
        show(OUT, report)
    if not report.succeeded:
        raise CommandFailed(f"{report.failed_step}: {report.reason}")


def rehearse(report: DemoReport, screen: Screen, folder: Path) -> None:
    """Walk the whole path, each step into ``report``; the embedded AWS ends with it."""
    from mlplatform_cdk.local import deploy, server
    from mlplatform_cdk.local.settings import Settings

    with screen.phase("synthesize the app"):
        context = [f"environment={report.environment}"]
        assembly = read(assembly_of(Path.cwd(), folder / "cdk.out", context=context, validate=False))
    with screen.phase("start the embedded AWS"):
        aws = server.start(at_place_of(assembly, Settings(state_dir=folder / "aws", clock_factor=0.05)))
    with aws:
        with screen.phase("deploy the stacks"):
            deployed = deploy.deploy(assembly, aws.settings, on_event=lambda event: screen.detail(event.logical_id))
            report.stacks = [
                StackReport(name=stack.name, resources=stack.resources, seconds=stack.seconds)
                for stack in deployed.stacks
            ]
            report.not_honoured = not_honoured(deployed)
            platform = DeployedPlatform(
                endpoint_url=aws.endpoint_url,
                region=aws.settings.region,
                account=aws.settings.account,
                environment=report.environment,
            )
        walk(report, screen, platform)


def walk(report: DemoReport, screen: Screen, platform: DeployedPlatform) -> None:
    """From an object in the lake to a served prediction, and to a refusal."""
    steps = platform.client("stepfunctions")
    with screen.phase("data into the lake, which starts the retraining run"):
        retraining = Executions(steps, platform.parameter("training/pipeline-arn"), "retraining")
        releases = Executions(steps, platform.parameter("serving/release-arn"), "release")
        dataset = platform.dataset()
        platform.put_data(f"{dataset.prefix}{FILE}", breast_cancer_csv(dataset.label_column))
        run = retraining.next_after(set(), PATIENCE_SECONDS)
    with screen.phase("retraining run: gate, preprocess, train, evaluate, register"):
        report.run = retraining.follow(run, PATIENCE_SECONDS, screen.detail)
        if report.run.status != "SUCCEEDED":
            raise StepFailed("retraining", f"{report.run.error}: {report.run.cause}")
    with screen.phase("approval by rule, which starts the release"):
        release = releases.next_after(set(), PATIENCE_SECONDS)
    with screen.phase("release: create, test with golden requests, switch, verify"):
        report.release = releases.follow(release, PATIENCE_SECONDS, screen.detail)
        report.model = platform.model(report.run.name)
        if report.release.status != "SUCCEEDED":
            raise StepFailed("release", f"{report.release.error}: {report.release.cause}")
        report.golden = json.loads(output_of(releases.events(release), "TestGreen") or "{}").get("tests")
    with screen.phase("predictions from the endpoint"):
        _predict(report, platform, dataset.label_column)
    with screen.phase("a deliberately worse model, which evaluation must refuse"):
        worse = retraining.start("deliberately-worse", json.dumps({"hyperparameters": WORSE}))
        report.refused = retraining.follow(worse, PATIENCE_SECONDS, screen.detail)
        if report.refused.status != "FAILED" or report.refused.error != "ModelRefused":
            raise StepFailed("refusal", f"the worse model was not refused: the run ended {report.refused.status}")
        if platform.model(report.refused.name) is not None:
            raise StepFailed("refusal", "the worse model was registered although evaluation refused it")


def _predict(report: DemoReport, platform: DeployedPlatform, label_column: str) -> None:
    assert report.run is not None
    answers = list(platform.predict(platform.holdout(report.run.name), label_column))
    right = sum(answer.predicted == answer.truth for answer in answers)
    report.predictions = answers[:SHOWN_PREDICTIONS]
    report.holdout_accuracy = right / len(answers)
    if right * 10 < len(answers) * 8:
        raise StepFailed("predictions", f"only {right} of {len(answers)} holdout rows were answered right")

"""An endpoint and its releases, deployed to the embedded AWS, and versions to release that are good or bad."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment

from mlplatform_cdk.assembly import Assembly, read
from mlplatform_cdk.foundation import Notifications
from mlplatform_cdk.local import deploy, server
from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.local.settings import Settings
from mlplatform_cdk.release import BlueGreenRelease, Strategy, VerdictRules
from mlplatform_cdk.runtimekit.manifest import Manifest
from mlplatform_cdk.serving import ReleasedEndpoint
from tests.release import platforms
from tests.release.rehearsal import answering, runbooks

ENDPOINT, GROUP = "rehearsed", "rehearsed"
PATIENCE_S = 60.0
# A window of three looks and a bake of two. What is measured on a machine that does all this at once says nothing about
# latency; a release without callers passes.
RULES = VerdictRules(
    minimum_requests=20,
    latency_p99_ms=10_000,
    latency_ratio_to_blue=None,
    cpu_percent=None,
    memory_percent=None,
    without_enough_requests="pass",
)
CANARY = Strategy.canary(
    20,
    observe=timedelta(seconds=30),
    bake=timedelta(seconds=20),
    retention=timedelta(0),
    warm_up_requests=5,
    rules=RULES,
)


@dataclass
class Rehearsal:
    """The deployed platform, and what a person would do with it."""

    aws: Administrator
    assembly: Assembly
    outputs: dict[str, str]
    model: bytes
    manifest: Manifest
    made: int = 0

    def register(
        self,
        *,
        model: bytes | None = None,
        manifest: Manifest | None = None,
        approval: str = "PendingManualApproval",
    ) -> str:
        """A version that waits for approval, or has it already."""
        self.made += 1
        return platforms.register(
            self.aws,
            f"run-{self.made}",
            group=GROUP,
            bucket=self.outputs["Bucket"],
            image=self.outputs["Image"],
            archive=model or self.model,
            manifest=(manifest or self.manifest).to_json().encode(),
            approval=approval,
        )

    def approve(self, arn: str) -> dict[str, Any]:
        """Approve a version, and wait for the end of the release that this starts."""
        return self.end_of(self.started(arn))

    def started(self, arn: str) -> str:
        """Approve a version, and wait for the release that this starts to be there."""
        known = {one["executionArn"] for one in self.executions()}
        self.aws.client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
        new = self.until(lambda: [one for one in self.executions() if one["executionArn"] not in known])
        execution: str = new[0]["executionArn"]
        return execution

    def start(self, arn: str) -> str:
        """Start a release by hand."""
        execution: str = self.aws.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs["Machine"], input=json.dumps({"model_package_arn": arn})
        )["executionArn"]
        return execution

    def executions(self) -> list[dict[str, Any]]:
        """All releases, the newest first."""
        found: list[dict[str, Any]] = self.aws.client("stepfunctions").list_executions(
            stateMachineArn=self.outputs["Machine"]
        )["executions"]
        return found

    def end_of(self, execution: str) -> dict[str, Any]:
        """The description of a release that has ended."""
        return platforms.end_of(self.aws, execution, patience_s=PATIENCE_S)

    def visited(self, execution: str) -> list[str]:
        """The states that a release has entered."""
        pages = self.aws.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=execution)
        events = [event for page in pages for event in page["events"]]
        return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]

    def package(self, arn: str) -> dict[str, Any]:
        found: dict[str, Any] = self.aws.client("sagemaker").describe_model_package(ModelPackageName=arn)
        return found

    def endpoint(self) -> dict[str, Any]:
        found: dict[str, Any] = self.aws.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
        return found

    def traffic(self) -> dict[str, float]:
        """The weights of the live variants, by the version that each runs."""
        sagemaker, live = self.aws.client("sagemaker"), self.endpoint()
        config = sagemaker.describe_endpoint_config(EndpointConfigName=live["EndpointConfigName"])
        models = {one["VariantName"]: one["ModelName"] for one in config["ProductionVariants"]}
        shares = {}
        for variant in live["ProductionVariants"]:
            model = sagemaker.describe_model(ModelName=models[variant["VariantName"]])
            arn = model["PrimaryContainer"]["Environment"]["MODEL_PACKAGE_ARN"]
            shares[arn] = variant.get("CurrentWeight", 0.0)
        return shares

    def is_settled(self) -> bool:
        """Does one version, marked as in production, have the endpoint to itself?"""
        if not self.aws.client("sagemaker").list_endpoints()["Endpoints"]:
            return False
        versions = [*self.traffic()]
        return (
            len(versions) == 1 and self.package(versions[0]).get("ModelLifeCycle", {}).get("StageStatus") == "InService"
        )

    def empty(self) -> None:
        """CloudFormation deletes no bucket with something in it, and no group with versions."""
        sagemaker = self.aws.client("sagemaker")
        for one in sagemaker.list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]:
            sagemaker.delete_model_package(ModelPackageName=one["ModelPackageArn"])
        s3, bucket = self.aws.client("s3"), self.outputs["Bucket"]
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for one in page.get("Versions", []):
                s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])

    def targets(self) -> list[tuple[str, bool]]:
        """The variants that scale, and whether they are held still."""
        found = self.aws.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
        return [
            (one["ResourceId"], one.get("SuspendedState", {}).get("DynamicScalingInSuspended", False))
            for one in found["ScalableTargets"]
        ]

    def ask(self) -> None:
        """One request, as a caller makes it."""
        golden = self.manifest.golden_requests[0]
        answer = self.aws.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=ENDPOINT, ContentType="application/json", Body=json.dumps(golden.body())
        )
        assert golden.check(json.loads(answer["Body"].read())) == []

    def until(self, seen: Callable[[], Any]) -> Any:
        """What ``seen`` answers, once that is something."""
        return platforms.until(seen, PATIENCE_S)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Manifest]:
    """The archive of a model that the platform's own training made, and its manifest."""
    return platforms.trained(tmp_path_factory)


@pytest.fixture(scope="session")
def wrong(trained: tuple[bytes, Manifest]) -> Manifest:
    """A manifest whose model should have answered something else."""
    _, manifest = trained
    first, *rest = manifest.golden_requests
    other = dataclasses.replace(first, outputs={"label": [7 for _ in first.outputs["label"]]})  # type: ignore[attr-defined] # a list
    return dataclasses.replace(manifest, golden_requests=(other, *rest))


@pytest.fixture(scope="module")
def rehearsal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, trained: tuple[bytes, Manifest]
) -> Iterator[Rehearsal]:
    """The platform, deployed, before its first release; a module's ``STRATEGY`` says how it releases.

    With a module's ``RUNBOOKS``, it has runbooks, too.
    """
    settings = Settings(state_dir=tmp_path_factory.mktemp("aws"), clock_factor=0.02)
    strategy = getattr(request.module, "STRATEGY", CANARY)
    books = getattr(request.module, "RUNBOOKS", False)
    assembly = _synthesize(tmp_path_factory.mktemp("assembly") / "cdk.out", settings, strategy, books=books)
    with server.start(settings) as running:
        report = deploy.deploy(assembly, running.settings)
        yield Rehearsal(Administrator(running.settings), assembly, dict(report.stacks[0].outputs), *trained)


def _synthesize(outdir: Path, settings: Settings, strategy: Strategy, *, books: bool) -> Assembly:
    app = App(outdir=str(outdir))
    where = Environment(account=settings.account, region=settings.region)
    base = platforms.base(app, "Rehearsed", where, group=GROUP)
    stack, key, artifacts, registry, records = base.stack, base.key, base.artifacts, base.registry, base.records()
    endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name=ENDPOINT, artifacts=artifacts, key=key)
    topic = Notifications(stack, "Topic", key=key)
    gates = answering.gates(stack, ENDPOINT, records, key, topic) if strategy.gates else None
    release = BlueGreenRelease(
        stack,
        "Release",
        endpoint=endpoint,
        registry=registry,
        artifacts=artifacts,
        strategy=strategy,
        records=records,
        gates=gates,
        notifications=topic,
    )
    outputs = {
        "Topic": topic.topic_arn,
        "Bucket": artifacts.bucket_name,
        "Image": endpoint.image.image_uri,
        "Machine": release.state_machine.state_machine_arn,
        "RecordsTable": release.records.table_name,
    }
    if gates is not None:
        outputs["Team"] = answering.team(stack, gates, release.state_machine)
    if books:
        outputs |= runbooks.define(base, endpoint, release, topic)
    base.say(outputs)
    app.synth()
    return read(outdir)

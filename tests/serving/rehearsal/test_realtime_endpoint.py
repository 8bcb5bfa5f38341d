"""An endpoint of the template on the embedded AWS: does it answer, change behind its guardrails, and go again?

The embedded AWS is a rehearsal: what AWS itself does is not shown by it.
"""

import json
import tarfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, Environment, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from botocore.exceptions import ClientError

from mlplatform_cdk.assembly import Assembly, read
from mlplatform_cdk.foundation import ArtifactStore, Keys, PlatformStack
from mlplatform_cdk.local import deploy, server
from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.local.report import DeploymentFailed
from mlplatform_cdk.local.settings import Settings
from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME, Manifest
from mlplatform_cdk.serving import (
    DeploymentGuardrails,
    EndpointModel,
    EndpointVariant,
    RealtimeEndpoint,
    ScalingRange,
)
from tests.serving import small_models

NAME = "template-owned"
GUARDRAILS = DeploymentGuardrails.all_at_once(bake=timedelta(minutes=2))
GOOD, BROKEN = "runs/good/model.tar.gz", "runs/broken/model.tar.gz"


@dataclass
class Platform:
    """What is deployed, and what a person would do with it."""

    aws: Administrator
    folder: Path
    ground: dict[str, str]
    manifest: Manifest
    outcomes: Counter[str] = field(default_factory=Counter)
    made: int = 0

    def deploy(self, archive: str = GOOD, *, instance_type: str = "ml.m5.large", most: int = 3) -> Assembly:
        """Bring the stack to this endpoint."""
        self.made += 1
        assembly = self.synthesize(self.folder / f"serving-{self.made}", archive, instance_type, most)
        deploy.deploy(assembly, self.aws.settings)
        return assembly

    def synthesize(self, folder: Path, archive: str, instance_type: str, most: int) -> Assembly:
        app = App(outdir=str(folder))
        settings = self.aws.settings
        stack = PlatformStack(app, "Serving", env=Environment(account=settings.account, region=settings.region))
        key = kms.Key.from_key_arn(stack, "Key", self.ground["Key"])
        artifacts = s3.Bucket.from_bucket_attributes(
            stack, "Artifacts", bucket_name=self.ground["Bucket"], encryption_key=key
        )
        model = EndpointModel.from_archive(archive, environment={"VERSION": str(self.made)})
        variant = EndpointVariant(model=model, instance_type=instance_type, scaling=ScalingRange(maximum=most))
        endpoint = RealtimeEndpoint(
            stack,
            "Endpoint",
            endpoint_name=NAME,
            variants=[variant],
            artifacts=artifacts,
            key=key,
            guardrails=GUARDRAILS,
        )
        alarm = cloudwatch.Alarm(
            stack,
            "Errors",
            metric=endpoint.metric_server_errors(),
            threshold=1,
            evaluation_periods=1,
            alarm_name="errors",
        )
        endpoint.roll_back_on(alarm)
        app.synth()
        return read(folder)

    def endpoint(self) -> dict[str, Any]:
        found: dict[str, Any] = self.aws.client("sagemaker").describe_endpoint(EndpointName=NAME)
        return found

    @contextmanager
    def ringing(self) -> Iterator[None]:
        """The alarm is on, however often CloudWatch looks at its metric meanwhile and takes it back."""
        end = threading.Event()
        ringing = threading.Thread(target=self._ring_until, args=(end,))
        ringing.start()
        try:
            yield
        finally:
            end.set()
            ringing.join()
            self.alarm("OK")

    def _ring_until(self, end: threading.Event) -> None:
        while not end.wait(0.05):
            self.alarm("ALARM")

    def alarm(self, state: str) -> None:
        self.aws.client("cloudwatch").set_alarm_state(AlarmName="errors", StateValue=state, StateReason="rehearsed")

    def scaled(self) -> dict[str, tuple[int, int]]:
        found = self.aws.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
        return {one["ResourceId"]: (one["MinCapacity"], one["MaxCapacity"]) for one in found["ScalableTargets"]}

    def ask(self) -> None:
        """One request, whose answer must be the golden one."""
        golden = self.manifest.golden_requests[0]
        answer = self.aws.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=NAME, ContentType="application/json", Body=json.dumps(golden.body())
        )
        assert golden.check(json.loads(answer["Body"].read())) == []

    def ask_until(self, end: threading.Event) -> None:
        while not end.wait(0.02):
            try:
                self.ask()
                self.outcomes["answered"] += 1
            except (ClientError, AssertionError) as failure:
                self.outcomes[str(failure)] += 1


TARGET = f"endpoint/{NAME}/variant/AllTraffic"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The ground with a good model and a broken one, and an endpoint of the good one."""
    folder = tmp_path_factory.mktemp("realtime")
    settings = Settings(state_dir=tmp_path_factory.mktemp("aws"), clock_factor=0.005)
    with server.start(settings) as running:
        aws = Administrator(running.settings)
        ground = dict(deploy.deploy(_ground(folder / "ground", settings), running.settings).stacks[0].outputs)
        model = small_models.save(folder / "model")
        archive = folder / "model.tar.gz"
        with tarfile.open(archive, "w:gz") as packed:
            for file in sorted(model.iterdir()):
                packed.add(file, file.name)
        aws.client("s3").put_object(Bucket=ground["Bucket"], Key=GOOD, Body=archive.read_bytes())
        aws.client("s3").put_object(Bucket=ground["Bucket"], Key=BROKEN, Body=b"no archive")
        made = Platform(aws, folder, ground, Manifest.from_json((model / MANIFEST_NAME).read_bytes()))
        made.deploy()
        yield made


def _ground(folder: Path, settings: Settings) -> Assembly:
    app = App(outdir=str(folder))
    stack = PlatformStack(app, "Ground", env=Environment(account=settings.account, region=settings.region))
    key = Keys(stack, "Keys", removal_policy=RemovalPolicy.DESTROY).data
    artifacts = ArtifactStore(stack, "Artifacts", key=key, removal_policy=RemovalPolicy.DESTROY)
    CfnOutput(stack, "Bucket", value=artifacts.bucket_name)
    CfnOutput(stack, "Key", value=key.key_arn)
    app.synth()
    return read(folder)


def test_it_answers_and_scales(platform: Platform) -> None:
    platform.ask()

    assert platform.scaled() == {TARGET: (1, 3)}


def test_a_new_model_takes_over_behind_the_guardrails_without_a_failed_request(platform: Platform) -> None:
    before, end = platform.endpoint()["EndpointConfigName"], threading.Event()
    asking = threading.Thread(target=platform.ask_until, args=(end,))
    asking.start()

    platform.deploy()

    end.set()
    asking.join()
    assert platform.endpoint()["EndpointConfigName"] != before
    assert platform.outcomes.keys() == {"answered"}
    assert platform.scaled() == {TARGET: (1, 3)}


def test_what_scaling_had_reached_stays_over_an_update(platform: Platform) -> None:
    sagemaker = platform.aws.client("sagemaker")
    counted = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=NAME, DesiredWeightsAndCapacities=counted)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME, WaiterConfig={"Delay": 1})

    platform.deploy()

    (variant,) = platform.endpoint()["ProductionVariants"]
    assert variant["DesiredInstanceCount"] == 2


def test_other_instances_are_taken_although_the_variant_scales(platform: Platform) -> None:
    platform.deploy(instance_type="ml.c5.large", most=4)

    assert platform.scaled() == {TARGET: (1, 4)}
    platform.ask()


def test_sagemaker_itself_would_have_refused_that(platform: Platform) -> None:
    sagemaker = platform.aws.client("sagemaker")
    live = sagemaker.describe_endpoint_config(EndpointConfigName=platform.endpoint()["EndpointConfigName"])
    (variant,) = live["ProductionVariants"]
    sagemaker.create_endpoint_config(
        EndpointConfigName="larger", ProductionVariants=[variant | {"InstanceType": "ml.c5.4xlarge"}]
    )

    with pytest.raises(ClientError, match="registered as a scalable target"):
        sagemaker.update_endpoint(EndpointName=NAME, EndpointConfigName="larger")


def test_an_alarm_takes_an_update_back_and_the_deployment_fails(platform: Platform) -> None:
    before, scaled = platform.endpoint()["EndpointConfigName"], platform.scaled()
    with platform.ringing(), pytest.raises(DeploymentFailed):
        platform.deploy(instance_type="ml.m5.xlarge")

    assert platform.endpoint()["EndpointConfigName"] == before
    assert platform.scaled() == scaled
    platform.ask()


def test_a_model_that_does_not_come_up_never_answers(platform: Platform) -> None:
    before = platform.endpoint()["EndpointConfigName"]

    with pytest.raises(DeploymentFailed):
        platform.deploy(BROKEN)

    assert platform.endpoint()["EndpointConfigName"] == before
    platform.ask()


def test_the_endpoint_goes_with_its_stack(platform: Platform) -> None:
    assembly = platform.deploy()

    deploy.destroy(assembly, platform.aws.settings)

    sagemaker = platform.aws.client("sagemaker")
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert sagemaker.list_models()["Models"] == []
    assert platform.scaled() == {}

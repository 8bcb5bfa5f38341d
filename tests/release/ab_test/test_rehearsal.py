"""Whole tests on the embedded AWS, from the deployed template, with real containers and real requests.

The embedded AWS is a rehearsal: what AWS itself does is not shown by it.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, RemovalPolicy

from mlplatform_cdk.assembly import Assembly, read
from mlplatform_cdk.local import deploy, server
from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.local.settings import Settings, client_environment
from mlplatform_cdk.release import BlueGreenRelease, Strategy
from mlplatform_cdk.release.ab_test import ABRouter, ABTest
from mlplatform_cdk.resilience.teardown import Teardown
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.ab_test import ABClient, Answer, Guard, Metric, TestPlan
from mlplatform_cdk.runtimekit.ab_test.assignment import assign
from mlplatform_cdk.runtimekit.ab_test.state import TestState
from mlplatform_cdk.runtimekit.manifest import Manifest
from mlplatform_cdk.serving import Endpoint, ReleasedEndpoint
from tests.release import platforms

PATIENCE_S = 90.0
GROUP = "offers"
PLAN = TestPlan(
    metric=Metric(name="accepted", effect=0.4),
    guards=(Guard(metric=Metric(name="failed", goal="decrease", effect=0.4), margin=0.2),),
    minimum_samples=50,
    look_every=timedelta(minutes=1),
    duration=timedelta(minutes=400),
)
OWNED, TEMPLATED = "released", "templated"
# A winner is live at once, and the version before it stays beside it: a way back.
STRATEGY = Strategy.all_at_once(
    observe=timedelta(0), bake=timedelta(0), retention=timedelta(days=2), warm_up_requests=0
)


@dataclass
class Rehearsal:
    """The deployed tests, and what callers and people would do with them."""

    aws: Administrator
    outputs: dict[str, str]
    model: bytes
    manifest: Manifest

    def register(self, run: str) -> str:
        """A version that waits for approval, whose approval would start its release."""
        return platforms.register(
            self.aws,
            run,
            group=GROUP,
            bucket=self.outputs["Bucket"],
            image=self.outputs["Image"],
            archive=self.model,
            manifest=self.manifest.to_json().encode(),
        )

    def serve(self, endpoint: str, weights: dict[str, float]) -> None:
        """An endpoint as a release, or a template, has made it."""
        sagemaker, version = self.aws.client("sagemaker"), self.register(f"{endpoint}-live")
        package = sagemaker.describe_model_package(ModelPackageName=version)
        (container,) = package["InferenceSpecification"]["Containers"]
        sagemaker.create_model(
            ModelName=f"{endpoint}--v1",
            ExecutionRoleArn=self.outputs["ModelRole"],
            PrimaryContainer={
                "Image": container["Image"],
                "ModelDataUrl": container["ModelDataUrl"],
                "Environment": {"MODEL_PACKAGE_ARN": version},
            },
        )
        one = {"ModelName": f"{endpoint}--v1", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        sagemaker.create_endpoint_config(
            EndpointConfigName=f"{endpoint}--v1-only",
            ProductionVariants=[
                {"VariantName": name, "InitialVariantWeight": weight, **one} for name, weight in weights.items()
            ],
        )
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=f"{endpoint}--v1-only")
        self.until(lambda: self.endpoint(endpoint)["EndpointStatus"] == "InService")

    def endpoint(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.aws.client("sagemaker").describe_endpoint(EndpointName=name)
        return found

    def weights(self, name: str) -> dict[str, float]:
        return {one["VariantName"]: one.get("CurrentWeight", 0.0) for one in self.endpoint(name)["ProductionVariants"]}

    def start(self, test: str, request: dict[str, Any] | None = None) -> str:
        execution: str = self.aws.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs[f"Machine{test}"], input=json.dumps(request or {})
        )["executionArn"]
        return execution

    def described(self, execution: str) -> dict[str, Any]:
        found: dict[str, Any] = self.aws.client("stepfunctions").describe_execution(executionArn=execution)
        return found

    def end_of(self, execution: str) -> dict[str, Any]:
        return platforms.end_of(self.aws, execution, patience_s=PATIENCE_S)

    def state(self, test: str) -> TestState | None:
        key = {"pk": {"S": f"test#{test}"}, "sk": {"S": "state"}}
        item = self.aws.client("dynamodb").get_item(TableName=self.outputs[f"Table{test}"], Key=key).get("Item")
        return TestState.from_json(item["state"]["S"]) if item else None

    def opened(self, test: str, execution: str) -> TestState:
        """The test, once it lets callers in."""

        def now() -> TestState | None:
            assert self.described(execution)["status"] == "RUNNING", self.described(execution)
            found = self.state(test)
            return found if found is not None and found.status == "running" else None

        state: TestState = self.until(now)
        return state

    def scale(self, endpoint: str) -> None:
        """Let the live variant scale, as a release does."""
        client = self.aws.client("application-autoscaling")
        place = {
            "ServiceNamespace": "sagemaker",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "ResourceId": f"endpoint/{endpoint}/variant/a",
        }
        client.register_scalable_target(**place, MinCapacity=1, MaxCapacity=3)
        client.put_scaling_policy(
            **place,
            PolicyName="invocations-per-instance",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 600.0,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            },
        )

    def produce(self, endpoint: str) -> None:
        """Mark the live version as a release does."""
        self.aws.client("sagemaker").update_model_package(
            ModelPackageArn=self.versions(endpoint)["a"],
            ModelApprovalStatus="Approved",
            ModelLifeCycle={"Stage": "Production", "StageStatus": "InService"},
        )

    def scaled(self) -> dict[str, tuple[int, int]]:
        """Variant to its bounds, of those that scale; each has a policy."""
        client = self.aws.client("application-autoscaling")
        targets = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        policies = client.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
        assert {one["ResourceId"] for one in targets} <= {one["ResourceId"] for one in policies}
        return {one["ResourceId"].rpartition("/")[2]: (one["MinCapacity"], one["MaxCapacity"]) for one in targets}

    def releases(self) -> list[dict[str, Any]]:
        """The releases, the newest first; without those that wait to retire a version."""
        client = self.aws.client("stepfunctions")
        found = client.list_executions(stateMachineArn=self.outputs["Releases"])["executions"]
        described = [client.describe_execution(executionArn=one["executionArn"]) for one in found]
        return [one for one in described if json.loads(one["input"]).get("action", "release") == "release"]

    def serving(self) -> str:
        """The version that has the traffic of the endpoint that releases own."""
        (busy,) = [name for name, weight in self.weights(OWNED).items() if weight > 0]
        return self.versions(OWNED)[busy]

    def versions(self, endpoint: str) -> dict[str, str]:
        sagemaker = self.aws.client("sagemaker")
        configuration = self.endpoint(endpoint)["EndpointConfigName"]
        variants = sagemaker.describe_endpoint_config(EndpointConfigName=configuration)["ProductionVariants"]
        models = {one["VariantName"]: sagemaker.describe_model(ModelName=one["ModelName"]) for one in variants}
        return {name: one["PrimaryContainer"]["Environment"]["MODEL_PACKAGE_ARN"] for name, one in models.items()}

    def ask(self, test: str, payload: dict[str, Any]) -> dict[str, Any]:
        """One call of the router."""
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.outputs[f"Router{test}"], Payload=json.dumps(payload)
        )
        value: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, value
        return value

    def customers(self, test: str, state: TestState, better: str, execution: str) -> int:
        """Customers come until the test ends: 19 of 20 accept what ``better`` says, 1 of 10 what another says.

        They are counted by variant: who gets which is drawn anew for each test, and by the order in which all come
        ``better`` may meet none of those who refuse it. They ask by the client; every 25th comes by the router.
        """
        caller = ABClient(endpoint=test, test=test, table=self.outputs[f"Table{test}"])
        golden, come, met = self.manifest.golden_requests[0], 0, Counter[str]()
        body = json.dumps(golden.body())
        while self.described(execution)["status"] == "RUNNING" and come < 600:
            key, routed = f"customer-{come}", come % 25 == 0
            answer = self.ask(test, {"key": key, "body": body}) if routed else vars_of(caller.invoke(key, body))
            assert golden.check(json.loads(answer["body"])) == []
            if not answer["recorded"]:
                break  # the test has ended meanwhile
            assert answer["variant"] == assign(state.salt, key, state.shares)
            before = met[answer["variant"]]
            accepted = int(before % 20 != 0 if answer["variant"] == better else before % 10 == 0)
            met[answer["variant"]] += 1
            id_, outcome = answer["request_id"], {"accepted": accepted}
            counted = (
                self.ask(test, {"request_id": id_, "outcomes": outcome})["counted"]
                if routed
                else caller.report(id_, outcome)
            )
            assert counted == {"accepted": True}
            come += 1
        return come

    def steps(self, endpoint: str) -> list[tuple[str, str]]:
        """The audit records: step and decision."""
        found = self.aws.client("dynamodb").query(
            TableName=self.outputs["RecordsTable"],
            KeyConditionExpression="endpoint = :e",
            ExpressionAttributeValues={":e": {"S": endpoint}},
        )
        return [(item["step"]["S"], item["decision"]["S"]) for item in found["Items"]]

    def lock(self, endpoint: str) -> dict[str, Any] | None:
        key = {"endpoint": {"S": f"lock#{endpoint}"}, "at": {"S": "lock"}}
        item: dict[str, Any] | None = (
            self.aws.client("dynamodb").get_item(TableName=self.outputs["RecordsTable"], Key=key).get("Item")
        )
        return item

    def take_away(self) -> dict[str, Any]:
        """One round of what ends the releases when the stack goes, by the role that it has for that."""
        client, what = self.aws.client("lambda"), "Before its stack goes, takes running releases away"
        (name,) = [one["FunctionName"] for one in client.list_functions()["Functions"] if one["Description"] == what]
        round_ = {"step": "round", "started": "2026-01-01T00:00:00+00:00"}
        answer = client.invoke(FunctionName=name, Payload=json.dumps(round_))
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        return said

    def report(self, state: TestState) -> str:
        key = f"ab-tests/{state.run}/report.html"
        body: bytes = self.aws.client("s3").get_object(Bucket=self.outputs["Bucket"], Key=key)["Body"].read()
        return body.decode()

    def until(self, seen: Callable[[], Any]) -> Any:
        return platforms.until(seen, PATIENCE_S)


def vars_of(answer: Answer) -> dict[str, Any]:
    """An answer of the client, as the router gives it."""
    return dataclasses.asdict(answer)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """Two endpoints, one of each kind of owner, and a test of each."""
    model, manifest = platforms.trained(tmp_path_factory)
    settings = Settings(state_dir=tmp_path_factory.mktemp("aws"), clock_factor=0.02)
    assembly = _synthesize(tmp_path_factory.mktemp("assembly") / "cdk.out", settings)
    with server.start(settings) as running:
        report = deploy.deploy(assembly, running.settings)
        made = Rehearsal(Administrator(running.settings), dict(report.stacks[0].outputs), model, manifest)
        made.serve(OWNED, {"a": 1.0})
        made.scale(OWNED)
        made.produce(OWNED)
        made.serve(TEMPLATED, {"a": 1.0, "b": 0.0})
        with pytest.MonkeyPatch.context() as patch:
            for name, value in client_environment(running.settings).items():
                patch.setenv(name, value)
            aws.client.cache_clear()
            yield made
        aws.client.cache_clear()


def _synthesize(outdir: Path, settings: Settings) -> Assembly:
    app = App(outdir=str(outdir))
    where = Environment(account=settings.account, region=settings.region)
    base = platforms.base(app, "Tested", where, group=GROUP)
    stack, key, artifacts, registry = base.stack, base.key, base.artifacts, base.registry
    owned = ReleasedEndpoint(stack, "Endpoint", endpoint_name=OWNED, artifacts=artifacts, key=key)
    release = BlueGreenRelease(
        stack, "Release", endpoint=owned, registry=registry, artifacts=artifacts, strategy=STRATEGY
    )
    records = release.records
    borrowed = Endpoint.from_endpoint_name(stack, "Theirs", TEMPLATED, variants=("a", "b"))
    outputs = {
        "Bucket": artifacts.bucket_name,
        "Image": owned.image.image_uri,
        "ModelRole": owned.model_role.role_arn,
        "RecordsTable": records.table_name,
        "Releases": release.state_machine.state_machine_arn,
    }
    common: dict[str, Any] = {"plan": PLAN, "records": records, "artifacts": artifacts, "key": key}
    common["removal_policy"] = RemovalPolicy.DESTROY
    for name, endpoint, more in (
        (OWNED, owned, {"registry": registry, "release": release}),
        (TEMPLATED, borrowed, {}),
    ):
        test = ABTest(stack, f"Test{name}", test_name=name, endpoint=endpoint, **common, **more)
        router = ABRouter(stack, f"Way{name}", test=test)
        outputs |= {
            f"Machine{name}": test.state_machine.state_machine_arn,
            f"Table{name}": test.table.table_name,
            f"Router{name}": router.function.function_name,
        }
    Teardown(stack, "Teardown", key=key, releases=[release])
    base.say(outputs)
    app.synth()
    return read(outdir)


def test_a_clear_winner_among_a_templates_variants_gets_all_requests(rehearsal: Rehearsal) -> None:
    execution = rehearsal.start(TEMPLATED)
    state = rehearsal.opened(TEMPLATED, execution)
    rehearsal.until(lambda: rehearsal.weights(TEMPLATED) == {"a": 0.5, "b": 0.5})
    assert (rehearsal.lock(TEMPLATED) or {})["owner"]["S"] == execution

    come = rehearsal.customers(TEMPLATED, state, "b", execution)

    assert rehearsal.end_of(execution)["status"] == "SUCCEEDED", rehearsal.described(execution)
    assert come >= 2 * PLAN.minimum_samples
    assert rehearsal.weights(TEMPLATED) == {"a": 0.0, "b": 1.0}
    assert rehearsal.lock(TEMPLATED) is None
    assert [step for step, _ in rehearsal.steps(TEMPLATED)] == ["ABTestBegin", "ABTestOpen", "ABTestLook", "ABTestEnd"]
    assert rehearsal.steps(TEMPLATED)[-1] == ("ABTestEnd", "won, b wins")
    assert "Ended: won: b: accepted is 0." in rehearsal.report(state)
    answer = rehearsal.aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=TEMPLATED,
        ContentType="application/json",
        Body=json.dumps(rehearsal.manifest.golden_requests[0].body()),
    )
    assert answer["InvokedProductionVariant"] == "b"


def test_a_teardown_takes_the_lock_of_what_a_machine_that_is_gone_has_left(rehearsal: Rehearsal) -> None:
    gone = rehearsal.outputs[f"Machine{OWNED}"].replace(":stateMachine:", ":execution:") + "Gone:test"
    row = {"endpoint": f"lock#{OWNED}", "at": "lock", "owner": gone, "version": "", "action": "ab_test"}
    item = {name: {"S": value} for name, value in (row | {"since": "2026-01-01T00:00:00+00:00"}).items()}
    rehearsal.aws.client("dynamodb").put_item(TableName=rehearsal.outputs["RecordsTable"], Item=item)

    assert rehearsal.take_away()["done"] is True

    assert rehearsal.lock(OWNED) is None
    assert rehearsal.steps(OWNED) == [("Teardown", "ended")]


def test_challengers_come_up_beside_the_live_version_and_the_winner_is_released(rehearsal: Rehearsal) -> None:
    before = rehearsal.serving()
    challenger = rehearsal.register("challenger")
    execution = rehearsal.start(OWNED, {"challengers": [challenger]})
    state = rehearsal.opened(OWNED, execution)
    assert (rehearsal.lock(OWNED) or {})["owner"]["S"] == execution
    assert rehearsal.take_away()["errorMessage"] == (
        f"no A/B test may run on {OWNED} when its releases go, and {execution} does; to end it: "
        f"aws stepfunctions stop-execution --execution-arn {execution}, then delete the stack again"
    )
    assert [arm.variant for arm in state.arms] == ["a", "t1"]
    assert state.arms[1].version == challenger
    assert rehearsal.scaled() == {"a": (1, 3), "t1": (1, 3)}

    rehearsal.customers(OWNED, state, "t1", execution)

    assert rehearsal.end_of(execution)["status"] == "SUCCEEDED", rehearsal.described(execution)
    assert ("ABTestEnd", "won, t1 wins") in rehearsal.steps(OWNED)
    rehearsal.until(lambda: rehearsal.releases() and all(one["status"] != "RUNNING" for one in rehearsal.releases()))
    asked = [json.loads(one["input"]) for one in rehearsal.releases()]
    assert {one["model_package_arn"] for one in asked} == {challenger}
    assert "ab_test" in {one.get("by") for one in asked}
    assert rehearsal.serving() == challenger
    assert rehearsal.versions(OWNED) == {"a": before, "b": challenger}
    assert "t1" not in rehearsal.scaled()
    sagemaker = rehearsal.aws.client("sagemaker")
    assert not [one for one in sagemaker.list_models()["Models"] if "--ab-" in one["ModelName"]]
    configs = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    assert not [one for one in configs if "--ab-" in one["EndpointConfigName"]]
    assert rehearsal.lock(OWNED) is None


def test_a_rollback_ends_the_test_gives_the_requests_back_and_then_takes_the_live_version_back(
    rehearsal: Rehearsal,
) -> None:
    live = rehearsal.serving()
    (kept,) = {*rehearsal.versions(OWNED).values()} - {live}
    execution = rehearsal.start(OWNED, {"challengers": [rehearsal.register("stopped")]})
    state = rehearsal.opened(OWNED, execution)
    rehearsal.until(lambda: rehearsal.weights(OWNED) == {"a": 0.0, "b": 0.5, "t1": 0.5})

    rollback = rehearsal.aws.client("stepfunctions").start_execution(
        stateMachineArn=rehearsal.outputs["Releases"],
        input=json.dumps({"action": "rollback", "who": "Ada", "reason": "calls complain"}),
    )["executionArn"]

    ended = rehearsal.end_of(rollback)
    assert rehearsal.described(execution)["status"] == "ABORTED"
    assert "Release.RolledBack" in rehearsal.described(execution)["error"]
    assert ended["status"] == "SUCCEEDED", ended
    assert rehearsal.serving() == kept
    assert "t1" not in rehearsal.weights(OWNED)
    assert "t1" not in rehearsal.scaled()
    package = rehearsal.aws.client("sagemaker").describe_model_package(ModelPackageName=live)
    assert package["ModelApprovalStatus"] == "Rejected"
    after = rehearsal.state(OWNED)
    assert after is not None
    assert (after.run, after.status) == (state.run, "ended")
    steps = rehearsal.steps(OWNED)
    assert ("ABTestEnd", "stopped") in steps[[step for step, _ in steps].index("ABTestOpen") :]
    rehearsal.until(lambda: rehearsal.lock(OWNED) is None)


def test_a_test_does_not_begin_beside_a_release(rehearsal: Rehearsal) -> None:
    row = {"endpoint": f"lock#{TEMPLATED}", "at": "lock", "owner": "a-release", "version": "", "action": "release"}
    item = {name: {"S": value} for name, value in (row | {"since": "2026-01-01T00:00:00+00:00"}).items()}
    rehearsal.aws.client("dynamodb").put_item(TableName=rehearsal.outputs["RecordsTable"], Item=item)
    before = rehearsal.weights(TEMPLATED)

    ended = rehearsal.end_of(rehearsal.start(TEMPLATED))

    assert (ended["status"], ended["error"]) == ("FAILED", "ABTest.NotBegun")
    assert "no release and no other test may hold the endpoint templated" in ended["cause"]
    assert rehearsal.weights(TEMPLATED) == before
    assert (rehearsal.lock(TEMPLATED) or {})["owner"]["S"] == "a-release"

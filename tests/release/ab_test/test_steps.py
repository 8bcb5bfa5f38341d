"""What does each step do to the endpoint, to the lock, and to what was there before?"""

import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import boto3
import pytest

from mlplatform_cdk.local.adapters.auto_scaling import tags
from mlplatform_cdk.release.ab_test.runtime import lock, looking, preparation, scaling, steps, world
from mlplatform_cdk.release.ab_test.runtime.decision import Look, decide
from mlplatform_cdk.release.ab_test.runtime.errors import TestFailed, TestRefused
from mlplatform_cdk.release.ab_test.runtime.handler import handle
from mlplatform_cdk.release.ab_test.runtime.reach import Live, Target, next_step
from mlplatform_cdk.release.blue_green.runtime import lock as releases
from mlplatform_cdk.release.blue_green.runtime.recovery import instead
from mlplatform_cdk.runtimekit import aws, release_records
from mlplatform_cdk.runtimekit.ab_test import items, outcomes, state, tallies
from mlplatform_cdk.runtimekit.ab_test.outcomes import Exposure
from mlplatform_cdk.runtimekit.ab_test.plan import THOMPSON
from tests.release.ab_test.conftest import RECORDS, TABLE
from tests.release.ab_test.streams import PLAN
from tests.release.registered import FACTS

ENDPOINT, EXECUTION = "churn", "arn:aws:states:eu-west-1:123456789012:execution:ab:mine"
VERSION = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/1"
ONE_BY_ONE = 5  # each is two transactions
tags.install()


def live(status: str = "InService", configuration: str = "old", reason: str = "", **weights: float) -> Live:
    return Live(
        status=status, configuration=configuration, weights=weights, counts=dict.fromkeys(weights, 1), reason=reason
    )


def target(configuration: str = "old", **weights: float) -> Target:
    return Target(configuration=configuration, weights=weights)


@pytest.mark.parametrize(
    ("now", "wanted", "asked", "expected"),
    [
        pytest.param(live("Updating"), target(a=1), False, ("wait", {}), id="a change in progress is waited for"),
        pytest.param(live(a=1, b=0), target(a=1), False, ("done", {}), id="there is nothing to do"),
        pytest.param(live(a=4, b=4), target(a=1, b=1), False, ("done", {}), id="weights are shares"),
        pytest.param(live(a=1, b=1), target(a=1), False, ("weights", {"a": 1, "b": 0.0}), id="weights go back"),
        pytest.param(live(a=1), target("new", a=1), False, ("configuration", {}), id="a configuration comes up"),
        pytest.param(
            live(a=1, t1=1, configuration="new"),
            target("old", a=1),
            False,
            ("weights", {"a": 1, "t1": 0.0}),
            id="traffic leaves a variant before the variant goes",
        ),
    ],
)
def test_an_endpoint_gets_where_it_should_one_change_at_a_time(
    now: Live,
    wanted: Target,
    asked: bool,  # noqa: FBT001
    expected: tuple[str, dict[str, float]],
) -> None:
    step = next_step(now, wanted, asked=asked)

    assert (step.what, step.weights) == expected


@pytest.mark.parametrize(
    ("now", "wanted", "asked", "problem"),
    [
        pytest.param(
            live(a=1, reason="no capacity"),
            target("new", a=1),
            True,
            "SageMaker rolled back to old: no capacity",
            id="a silent rollback",
        ),
        pytest.param(live("Failed", reason="lost"), target(a=1), False, "in service, got Failed lost", id="failed"),
        pytest.param(live("", a=1), target(a=1), False, "got no endpoint", id="no endpoint"),
        pytest.param(live(x=1), target(a=1), False, "one of the variants a, got x", id="other variants"),
    ],
)
def test_an_endpoint_that_cannot_get_there_fails_the_test(now: Live, wanted: Target, asked: bool, problem: str) -> None:  # noqa: FBT001
    with pytest.raises(TestFailed, match=problem):
        next_step(now, wanted, asked=asked)


def row(owner: str, at: str = "lock", action: str = "release") -> None:
    of = {"endpoint": f"lock#{ENDPOINT}", "at": at}
    since = "2026-11-22T10:00:00+00:00"
    release_records.put(RECORDS, {**of, "owner": owner, "action": action, "version": "r-1", "since": since})


def owner() -> str | None:
    found = release_records.read(RECORDS, f"lock#{ENDPOINT}", "lock")
    return None if found is None else found["owner"]


def test_the_lock_is_taken_once_and_again_by_the_same_execution(cloud: Any) -> None:
    lock.take(ENDPOINT, EXECUTION, "r-1")
    lock.take(ENDPOINT, EXECUTION, "r-1")

    assert lock.is_held(ENDPOINT, EXECUTION)
    lock.free(ENDPOINT, EXECUTION)
    assert owner() is None


@pytest.mark.parametrize("at", ["lock", "wait#1#2026#release"])
def test_a_test_does_not_begin_where_a_release_runs_or_waits(cloud: Any, at: str) -> None:
    row("a-release", at)

    with pytest.raises(TestRefused, match="may hold the endpoint churn when a test begins, and a-release does"):
        lock.take(ENDPOINT, EXECUTION, "r-1")

    assert not lock.is_held(ENDPOINT, EXECUTION)


def test_a_lock_that_is_anothers_is_neither_freed_nor_inherited(cloud: Any) -> None:
    row("a-release")

    lock.free(ENDPOINT, EXECUTION)

    assert lock.inherit(ENDPOINT, EXECUTION, "dead-test") is None
    assert lock.inherit(ENDPOINT, EXECUTION, "a-release") is None
    assert owner() == "a-release"


def test_the_lock_of_a_dead_test_is_inherited_by_its_recovery_and_by_the_recovery_of_that(cloud: Any) -> None:
    row("dead-test", action="ab_test")

    assert lock.inherit(ENDPOINT, "recovery", "dead-test") == "r-1"
    assert lock.inherit(ENDPOINT, "recovery", "dead-test") == "r-1"
    assert lock.inherit(ENDPOINT, EXECUTION, "recovery") == "r-1"
    assert owner() == EXECUTION


def test_a_release_waits_for_a_test_alive_or_dead_and_leaves_what_that_left_to_its_own_machine(
    cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock.take(ENDPOINT, EXECUTION, "r-1")

    for status in ("RUNNING", "ABORTED"):
        monkeypatch.setattr(releases, "status_of", lambda _row, status=status: status)
        taken = releases.take(ENDPOINT, "a-release", VERSION)
        assert (taken.held, taken.holder) == (False, EXECUTION)
    lock.free(ENDPOINT, EXECUTION)

    assert releases.take(ENDPOINT, "a-release", VERSION).held


def test_a_rollback_ends_the_test_and_a_release_does_not(cloud: Any) -> None:
    lock.take(ENDPOINT, EXECUTION, "r-1")
    holder = releases.holder(ENDPOINT)

    assert instead({"action": "rollback"}, holder, supersede=False).ends_by == "Release.RolledBack"
    assert instead({"model_package_arn": VERSION}, holder, supersede=True).ends_by == ""


def test_a_rollback_waits_for_the_recovery_of_the_test_that_it_has_ended(
    cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would stop each recovery, whose end starts the next one: the endpoint would never be put right."""
    lock.take(ENDPOINT, EXECUTION, "r-1")
    assert lock.inherit(ENDPOINT, "recovery", EXECUTION) == "r-1"
    assert lock.inherit(ENDPOINT, "second-recovery", "recovery") == "r-1"

    holder = releases.holder(ENDPOINT)
    found = instead({"action": "rollback"}, holder, supersede=False)
    assert (found.way, found.ends_by) == ("wait", "")
    for status in ("RUNNING", "ABORTED"):
        monkeypatch.setattr(releases, "status_of", lambda _row, status=status: status)
        assert not releases.take(ENDPOINT, "a-rollback", "", urgent=True).held
    lock.free(ENDPOINT, "second-recovery")
    assert releases.take(ENDPOINT, "a-rollback", "", urgent=True).held


class FakeSageMaker:
    """What moto lacks of an endpoint: its weights move."""

    def __init__(self, **weights: float) -> None:
        self.weights, self.status = weights, "InService"

    def describe_endpoint(self, **_: str) -> dict[str, Any]:
        variants = [{"VariantName": name, "CurrentWeight": weight} for name, weight in self.weights.items()]
        return {"EndpointStatus": self.status, "EndpointConfigName": "old", "ProductionVariants": variants}

    def describe_endpoint_config(self, **_: str) -> dict[str, Any]:
        variants = [{"VariantName": name, "ModelName": f"m-{name}"} for name in self.weights]
        return {"EndpointConfigName": "old", "ProductionVariants": variants}

    def describe_model(self, **_: str) -> dict[str, Any]:
        return {"PrimaryContainer": {"Environment": {"MODEL_PACKAGE_ARN": VERSION}}}

    def update_endpoint_weights_and_capacities(self, **request: Any) -> None:
        self.weights |= {one["VariantName"]: one["DesiredWeight"] for one in request["DesiredWeightsAndCapacities"]}


@pytest.fixture
def endpoint(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> FakeSageMaker:
    fake, real = FakeSageMaker(a=1.0, b=0.0), aws.client
    cloud.client("s3").create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    monkeypatch.setattr(aws, "client", lambda service: fake if service == "sagemaker" else real(service))
    return fake


def event(step: str, **more: Any) -> dict[str, Any]:
    test = {
        "name": "offers",
        "endpoint": ENDPOINT,
        "table": TABLE,
        "plan": PLAN.to_mapping(),
        "variants": ["a", "b"],
        "group": "",
        "alarms": [],
        "reports": "s3://artifacts/ab-tests/",
    }
    made = {
        "step": step,
        "execution_arn": EXECUTION,
        "request": {},
        "test": test,
        "reached": {"looks": 0, "asked": False},
    }
    return json.loads(json.dumps(made | more))


def begun(endpoint: FakeSageMaker) -> str:
    """A test that lets callers in; its run."""
    run: str = handle(event("begin"), None)["run"]
    handle(event("bring_up", run=run), None)
    handle(event("open", run=run), None)
    return run


def told(run: str, variant: str, count: int, hits: int) -> None:
    """Some of ``count`` requests one by one, as callers tell them, and what the others add to the counters at once."""
    known = state.read(TABLE, "offers")
    assert known is not None
    added = Counter[str]()
    for number in range(count):
        if number < ONE_BY_ONE:
            exposure = Exposure(request_id=f"{variant}-{number}", key=f"{variant}-{number}", variant=variant)
            outcomes.record_request(TABLE, known, exposure)
            outcomes.record_outcomes(TABLE, known, exposure.request_id, {"converted": int(number < hits)})
        else:
            added.update({tallies.EXPOSED: 1, tallies.PARTS[known.looks % 2]: 1})
            added.update(tallies.amounts({"converted": Decimal(number < hits)}))
    items.write_all([items.add(TABLE, tallies.partition_of(run, variant), tallies.shard_of("others"), added)])


def records() -> list[str]:
    return [f"{one.step}: {one.decision}" for one in release_records.history(RECORDS, ENDPOINT)]


def test_a_test_of_a_templates_variants_begins_looks_and_ends(endpoint: FakeSageMaker) -> None:
    run = begun(endpoint)
    assert endpoint.weights == {"a": 0.5, "b": 0.5}
    told(run, "a", 80, 4)
    told(run, "b", 80, 76)
    known = state.read(TABLE, "offers")
    assert known is not None
    state.write(TABLE, replace(known, plan=replace(PLAN, minimum_samples=50)))

    look = handle(event("look", run=run, looks=0), None)
    assert (look["ended"], look["winner"], look["looks"]) == (True, "b", 1)
    ended = handle(event("close", run=run, context={"look": look}), None)
    going = event("reach", run=run, towards="end", ended=ended, most_looks=9)
    assert [handle(going, None)["settled"] for _ in range(2)] == [False, True]
    finished = handle(event("finish", run=run, ended=ended), None)

    assert endpoint.weights == {"a": 0.0, "b": 1.0}
    assert (finished["subject"], finished["promoted"], finished["failed"]) == ("A/B test offers: won", False, False)
    assert "Winner: b (version arn:aws:sagemaker" in finished["message"]
    assert owner() is None
    assert [one.split(":")[0] for one in records()] == ["ABTestBegin", "ABTestOpen", "ABTestLook", "ABTestEnd"]


def test_a_bandits_looks_compare_what_came_under_equal_shares(
    endpoint: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(endpoint)
    told(run, "a", 60, 6)
    told(run, "b", 60, 9)
    known = state.read(TABLE, "offers")
    assert known is not None
    state.write(TABLE, replace(known, plan=replace(PLAN, traffic=THOMPSON, minimum_samples=50)))
    seen: list[Look] = []
    monkeypatch.setattr(looking, "decide", lambda look: seen.append(look) or decide(look))

    for looks in (0, 0, 1):
        handle(event("look", run=run, looks=looks), None)

    first, repeated, second = seen
    assert endpoint.weights != {"a": 0.5, "b": 0.5}
    assert (first.changes, repeated.changes) == ((), ())
    assert second.changes == (first.tallies,)
    assert [sample.count for sample in second.times(PLAN.metric)[-1]] == [0, 0]


def test_keys_are_counted_against_the_shares_that_gave_them_their_variants(
    endpoint: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those of a caller that still held the shares from before the last look."""
    run = begun(endpoint)
    told(run, "a", 60, 6)
    told(run, "b", 60, 9)
    known = state.read(TABLE, "offers")
    assert known is not None
    early = replace(known, plan=replace(PLAN, traffic=THOMPSON, minimum_samples=50))
    state.write(TABLE, early)
    seen: list[Look] = []
    monkeypatch.setattr(looking, "decide", lambda look: seen.append(look) or decide(look))

    handle(event("look", run=run, looks=0), None)
    moved = state.read(TABLE, "offers")
    assert moved is not None
    for held, key, variant in ((early, "late", "a"), (moved, "new-1", "b"), (moved, "new-2", "b")):
        outcomes.record_request(TABLE, held, Exposure(request_id=key, key=key, variant=variant))
    for looks in (1, 1):
        handle(event("look", run=run, looks=looks), None)

    equal, shares = (0.5, 0.5), tuple(moved.shares.values())
    assert shares != equal
    first, second, repeated = ([(tuple(one.counts), one.shares) for one in look.given] for look in seen)
    assert first == [((60, 60), equal)]
    assert second == repeated == [((60, 60), equal), ((1, 0), equal), ((0, 2), shares)]


def test_challengers_scale_as_the_control_does_and_no_more_when_they_go(cloud: Any) -> None:
    client = cloud.client("application-autoscaling")
    place = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
    control = place | {"ResourceId": "endpoint/churn/variant/a"}
    client.register_scalable_target(**control, MinCapacity=2, MaxCapacity=7)
    client.put_scaling_policy(
        **control,
        PolicyName="invocations-per-instance",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 600.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        },
    )

    def scaled() -> dict[str, tuple[str | int | list[str], ...]]:
        targets = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        policies = client.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
        return {
            one["ResourceId"].rpartition("/")[2]: (
                *client.list_tags_for_resource(ResourceARN=one["ScalableTargetARN"])["Tags"].values(),
                one["MinCapacity"],
                one["MaxCapacity"],
                [two["PolicyName"] for two in policies if two["ResourceId"] == one["ResourceId"]],
            )
            for one in targets
        }

    for _ in range(2):  # a step that is retried changes nothing
        scaling.follow(ENDPOINT, "a", ["t1", "t2"])
    like = (2, 7, ["invocations-per-instance"])
    assert scaled() == {"a": like, "t1": (ENDPOINT, *like), "t2": (ENDPOINT, *like)}

    for _ in range(2):
        scaling.forget(ENDPOINT, ["t1", "t2"])
    assert [*scaled()] == ["a"]
    scaling.follow(ENDPOINT, "b", ["t1"])  # a control that does not scale
    assert [*scaled()] == ["a"]


def test_a_look_that_is_repeated_writes_one_record_and_comes_to_the_same(endpoint: FakeSageMaker) -> None:
    run = begun(endpoint)
    told(run, "a", 60, 6)

    first, again = (handle(event("look", run=run, looks=0), None) for _ in range(2))

    assert first == again
    assert first["outcome"] == "goes on"
    assert endpoint.weights == {"a": 0.5, "b": 0.5}


def test_weights_that_somebody_moved_are_moved_back_and_wait_while_the_endpoint_changes(
    endpoint: FakeSageMaker,
) -> None:
    run = begun(endpoint)
    endpoint.weights = {"a": 1.0, "b": 0.0}
    endpoint.status = "Updating"

    handle(event("look", run=run, looks=0), None)
    assert endpoint.weights == {"a": 1.0, "b": 0.0}
    endpoint.status = "InService"
    handle(event("look", run=run, looks=1), None)

    assert endpoint.weights == {"a": 0.5, "b": 0.5}


def test_a_test_whose_variant_is_gone_fails_and_gives_the_requests_back(endpoint: FakeSageMaker) -> None:
    run = begun(endpoint)
    del endpoint.weights["b"]

    with pytest.raises(TestFailed, match="must have the variants of the test, and lacks b"):
        handle(event("look", run=run, looks=0), None)
    cause = json.dumps({"errorMessage": "lacks b", "errorType": "TestFailed"})
    context = {"look": {"ended": False, "looks": 0}, "failure": {"Look": {"Error": "TestFailed", "Cause": cause}}}
    ended = handle(event("close", run=run, context=context), None)

    assert ended == {"outcome": "failed", "winner": "", "reason": "Look: lacks b", "version": ""}
    known = state.read(TABLE, "offers")
    assert known is not None
    assert known.status == "ended"
    report = looking.report_uri("s3://artifacts/ab-tests/", run)
    assert (
        b"Ended: failed: Look: lacks b"
        in boto3.client("s3").get_object(Bucket="artifacts", Key=report.split("/", 3)[3])["Body"].read()
    )


def test_a_test_that_has_lost_its_lock_touches_nothing_more(endpoint: FakeSageMaker) -> None:
    run = begun(endpoint)
    row("a-release")
    endpoint.weights = {"a": 1.0, "b": 0.0}

    for step in ("look", "open"):
        with pytest.raises(TestFailed, match="must hold the lock of churn to change it, and has lost it"):
            handle(event(step, run=run, looks=0), None)
    with pytest.raises(TestFailed, match="has lost it"):
        handle(event("reach", run=run, towards="test", most_looks=9), None)

    assert endpoint.weights == {"a": 1.0, "b": 0.0}


def test_an_alarm_ends_the_test(endpoint: FakeSageMaker) -> None:
    run = begun(endpoint)
    client = boto3.client("cloudwatch")
    for name in ("quiet", "loud"):
        client.put_metric_alarm(
            AlarmName=name,
            MetricName="m",
            Namespace="n",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Threshold=1.0,
            Period=60,
            Statistic="Sum",
        )
    client.set_alarm_state(AlarmName="loud", StateValue="ALARM", StateReason="test")
    alarmed = event("look", run=run, looks=3)
    alarmed["test"]["alarms"] = ["loud", "quiet"]

    look = handle(alarmed, None)

    assert (look["ended"], look["outcome"], look["winner"], look["reason"]) == (True, "alarmed", "a", "in alarm: loud")


def test_a_test_ends_at_the_next_look_when_one_of_its_challengers_was_rejected(
    endpoint: FakeSageMaker, cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, arn = begun(endpoint), version(cloud, "Approved")
    challenger = preparation.Challenger(
        variant="t1", version=arn, model="m", container={}, manifest_uri="", manifest_sha256=""
    )
    made = replace(steps.preparation_of(event("look", run=run)), challengers=(challenger,))
    monkeypatch.setattr(steps, "preparation_of", lambda _event: made)
    monkeypatch.setattr(aws, "client", cloud.client)

    assert not handle(event("look", run=run, looks=3), None)["ended"]
    cloud.client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    look = handle(event("look", run=run, looks=4), None)

    assert (look["ended"], look["outcome"], look["winner"]) == (True, "stopped", "")
    assert look["reason"] == f"{arn} must not be rejected while it has traffic"


def test_a_recovery_takes_over_what_its_test_left_and_nothing_else(endpoint: FakeSageMaker) -> None:
    run = begun(endpoint)
    recovery = {"execution_arn": "recovery", "request": {"action": "recover", "execution_arn": EXECUTION}}

    other = handle(event("inherit", **(recovery | {"request": {"execution_arn": "other"}})), None)
    taken = handle(event("inherit", **recovery), None)
    ended = handle(event("close", run=run, context={"look": {"ended": False}}, **recovery), None)

    assert taken == {"run": run, "held": True}
    assert not other["held"]
    assert (ended["outcome"], ended["winner"]) == ("stopped", "")


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        ({}, r'must be started with {"challengers": \["arn:…:model-package/churn/…"\]}, got {}'),
        ({"challengers": "x"}, "must be started with"),
        ({"challengers": ["arn:aws:sagemaker:eu-west-1:1:model-package/fraud/1"]}, "must be versions of churn, got"),
    ],
)
def test_a_test_on_a_released_endpoint_says_how_it_is_started(
    endpoint: FakeSageMaker, request_: dict[str, Any], problem: str
) -> None:
    asked = event("begin", request=request_)
    asked["test"] |= {"variants": [], "group": "churn"}

    with pytest.raises(TestRefused, match=problem):
        handle(asked, None)


def test_variants_that_the_endpoint_does_not_have_are_refused(endpoint: FakeSageMaker) -> None:
    asked = event("begin")
    asked["test"]["variants"] = ["a", "c"]

    with pytest.raises(TestRefused, match="must have the variants a, c, got a, b"):
        handle(asked, None)


def test_challengers_are_added_beside_what_is_there_with_the_controls_fleet() -> None:
    one = preparation.Challenger(
        variant="t1",
        version=VERSION,
        model="churn--ab-1-t1",
        container={},
        manifest_uri="s3://b/m",
        manifest_sha256="0",
    )
    configuration = {
        "EndpointConfigName": "churn--v7-only",
        "ProductionVariants": [
            {"VariantName": "a", "ModelName": "m7", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"},
            {"VariantName": "b", "ModelName": "m6", "InitialInstanceCount": 1, "InstanceType": "ml.c5.large"},
        ],
    }

    made = preparation.of_releases(
        PLAN, "offers-0123456789", {"a": 2.0, "b": 0.0}, {"a": VERSION}, [one], configuration, {"a": 3, "b": 1}
    )

    assert made.configuration == "churn--ab-0123456789"
    assert [arm.variant for arm in made.arms] == ["a", "t1"]
    assert made.weights == {"a": 1.0, "b": 0.0}
    assert made.variants[2] == {
        "VariantName": "t1",
        "ModelName": "churn--ab-1-t1",
        "InitialInstanceCount": 3,
        "InstanceType": "ml.m5.large",
        "InitialVariantWeight": 0.0,
    }
    assert preparation.Preparation.from_mapping(json.loads(json.dumps(made.to_mapping()))) == made


def test_a_test_does_not_begin_in_the_middle_of_a_shift() -> None:
    configuration = {"EndpointConfigName": "churn--v7", "ProductionVariants": []}

    with pytest.raises(TestRefused, match="one variant must have all the traffic when a test begins, got a, b of a, b"):
        preparation.of_releases(PLAN, "r-1", {"a": 0.9, "b": 0.1}, {}, [], configuration, {})


def version(cloud: Any, status: str) -> str:
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    arn: str = sagemaker.create_model_package(ModelPackageGroupName="churn", ModelApprovalStatus=status)[
        "ModelPackageArn"
    ]
    return arn


def test_a_version_that_was_rejected_is_no_challenger(cloud: Any) -> None:
    arn = version(cloud, "Rejected")

    with pytest.raises(TestRefused, match=r"must be a version that nobody rejected, got .*churn/1: Rejected"):
        world.read_challenger(arn, "t1", "m")
    with pytest.raises(TestRefused, match="no such version"):
        world.read_challenger(arn.replace("/1", "/9"), "t1", "m")


def test_a_challengers_container_gets_the_variables_that_a_release_would_give_it(cloud: Any) -> None:
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    container = {
        "Image": "serving:1",
        "ModelDataUrl": "s3://b/m.tar.gz",
        "Environment": {"LANES": "8", "ENGINE": "cuda"},
    }
    types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="churn",
        ModelApprovalStatus="Approved",
        InferenceSpecification={"Containers": [container], **types},
        CustomerMetadataProperties=FACTS.to_metadata(),
    )["ModelPackageArn"]

    made = world.read_challenger(arn, "t1", "m", environment={"LANES": "2", "CACHE_BYTES": "1000"})

    assert made.container["Environment"] == {
        "CACHE_BYTES": "1000",
        "ENGINE": "cuda",
        "LANES": "2",
        "MODEL_PACKAGE_ARN": arn,
    }


def test_the_configuration_of_a_test_publishes_the_metrics_that_the_one_before_it_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    metrics, asked = {"EnableDetailedObservability": False, "MetricPublishFrequencyInSeconds": 10}, []

    class Cloud:
        def client(self, _service: str) -> "Cloud":
            return self

        def found_in_sagemaker(self, _operation: str, **_: str) -> None:
            return None

        def describe_endpoint_config(self, **_: str) -> dict[str, Any]:
            variants = [{"VariantName": "a", "ModelName": "m"}]
            return {"EndpointConfigName": "before", "ProductionVariants": variants, "MetricsConfig": metrics}

        def describe_model(self, **_: str) -> dict[str, Any]:
            return {}

        def create_endpoint_config(self, **parameters: Any) -> None:
            asked.append(parameters)

    monkeypatch.setattr(world, "aws", Cloud())
    arm = preparation.of_template(PLAN, "r-1", ["a", "b"], {"a": 1.0, "b": 1.0}, {}, "before")

    world.make(replace(arm, configuration="churn--ab-1", variants=({"VariantName": "a"},)))

    assert [one["MetricsConfig"] for one in asked] == [metrics]


@pytest.mark.parametrize(
    ("status", "afterwards"),
    [("PendingManualApproval", "Approved"), ("Rejected", "Rejected"), ("Approved", "Approved")],
)
def test_a_winner_is_approved_unless_somebody_has_decided_otherwise(cloud: Any, status: str, afterwards: str) -> None:
    arn = version(cloud, status)

    world.approve(arn, "won\n  twice")

    found = cloud.client("sagemaker").describe_model_package(ModelPackageName=arn)
    assert found["ModelApprovalStatus"] == afterwards
    assert (found.get("ApprovalDescription") == "won twice") == (status == "PendingManualApproval")

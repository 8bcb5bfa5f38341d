"""Blue is kept after a release: can it be brought back at any time, and does it go when its time is over?"""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from mlplatform_cdk.runtimekit.scalable_targets import OWNER_TAG, place_of
from tests.release.rehearsal import runbooks
from tests.release.rehearsal.breakpoints import retiring_after
from tests.release.rehearsal.callers import Callers
from tests.release.rehearsal.conftest import CANARY, ENDPOINT, Rehearsal

# Far longer than these tests take, whatever runs beside them.
STRATEGY = CANARY.with_(retention=timedelta(days=7), observe=timedelta(seconds=10), bake=timedelta(0))
RUNBOOKS = True


@pytest.fixture(scope="module")
def kept(rehearsal: Rehearsal) -> tuple[str, str]:
    """Two versions: the first one is kept, the second one serves."""
    versions = rehearsal.register(), rehearsal.register()
    for one in versions:
        execution = rehearsal.approve(one)
        assert execution["status"] == "SUCCEEDED", execution.get("cause")
    return versions


def _ask(rehearsal: Rehearsal, **request: str) -> dict[str, Any]:
    started = rehearsal.aws.client("stepfunctions").start_execution(
        stateMachineArn=rehearsal.outputs["Machine"], input=json.dumps(request)
    )
    return rehearsal.end_of(started["executionArn"])


def _stages(rehearsal: Rehearsal, *versions: str) -> list[str]:
    return [rehearsal.package(one)["ModelLifeCycle"]["StageStatus"] for one in versions]


def test_blue_is_kept_scaled_down_and_green_scales(rehearsal: Rehearsal, kept: tuple[str, str]) -> None:
    first, second = kept

    assert rehearsal.traffic() == {first: 0.0, second: 1.0}
    assert _stages(rehearsal, first, second) == ["Retired", "InService"]
    assert len(rehearsal.targets()) == 1


def test_a_rollback_is_one_call_and_says_why(rehearsal: Rehearsal, kept: tuple[str, str]) -> None:
    first, second = kept

    with Callers(rehearsal) as callers:
        execution = _ask(rehearsal, action="rollback", who="ann", reason="complaints")

    assert execution["status"] == "SUCCEEDED", execution.get("cause")
    assert rehearsal.visited(execution["executionArn"]).count("RestoreTraffic") == 1
    assert rehearsal.traffic() == {first: 1.0}
    assert callers.outcomes.keys() == {"answered"}
    assert _stages(rehearsal, first, second) == ["InService", "Retired"]
    package = rehearsal.package(second)
    assert (package["ModelApprovalStatus"], "ann: complaints" in package["ApprovalDescription"]) == ("Rejected", True)


def test_rejecting_the_live_version_brings_the_one_before_back(rehearsal: Rehearsal, kept: tuple[str, str]) -> None:
    first, _ = kept
    third = rehearsal.register()
    assert rehearsal.approve(third)["status"] == "SUCCEEDED"
    assert rehearsal.traffic() == {first: 0.0, third: 1.0}

    rehearsal.aws.client("sagemaker").update_model_package(ModelPackageArn=third, ModelApprovalStatus="Rejected")

    rehearsal.until(lambda: rehearsal.traffic() == {first: 1.0})
    _rest(rehearsal)
    assert _stages(rehearsal, first, third) == ["InService", "Retired"]


def test_blue_retires_when_its_time_is_over(rehearsal: Rehearsal, kept: tuple[str, str]) -> None:
    states, machine = rehearsal.aws.client("stepfunctions"), rehearsal.outputs["Machine"]
    deployed = json.loads(states.describe_state_machine(stateMachineArn=machine)["definition"])
    states.update_state_machine(stateMachineArn=machine, definition=json.dumps(retiring_after(deployed, seconds=25)))
    fourth = rehearsal.register()
    assert rehearsal.approve(fourth)["status"] == "SUCCEEDED"
    states.update_state_machine(stateMachineArn=machine, definition=json.dumps(deployed))

    rehearsal.until(lambda: rehearsal.traffic() == {fourth: 1.0})
    _rest(rehearsal)
    models = rehearsal.aws.client("sagemaker").list_models()["Models"]
    assert len(models) == STRATEGY.kept_versions


def test_after_that_the_runbook_rolls_back_by_a_release_of_the_version_before(
    rehearsal: Rehearsal, kept: tuple[str, str]
) -> None:
    first, _ = kept
    (live,) = rehearsal.traffic()

    ended = runbooks.run(rehearsal.aws, f"{ENDPOINT}-roll-back", Reason="complaints")

    assert ended["AutomationExecutionStatus"] == "Success", ended
    assert rehearsal.traffic() == {live: 0.0, first: 1.0}
    package = rehearsal.package(live)
    assert package["ModelApprovalStatus"] == "Rejected"
    said = f"automation-execution/{ended['AutomationExecutionId']}: complaints"
    assert said in package["ApprovalDescription"]


def test_the_runbook_keeps_more_instances_of_the_variant_that_serves(rehearsal: Rehearsal) -> None:
    document = f"{ENDPOINT}-scale-up"

    ended = runbooks.run(rehearsal.aws, document, Minimum="2", Maximum="5")

    assert ended["AutomationExecutionStatus"] == "Success", ended
    assert ended["Outputs"] == {"Look.FormerMinimum": ["1"], "Look.FormerMaximum": ["2"]}
    (target,) = _targets(rehearsal)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 5)

    _hold_still(rehearsal, target["ResourceId"])
    refused = runbooks.run(rehearsal.aws, document, Minimum="3")
    assert f"no release may run on {ENDPOINT}, and one holds its scaling still" in refused["FailureMessage"]
    assert _targets(rehearsal)[0]["MinCapacity"] == 2


def test_the_function_of_the_steps_touches_the_scaling_and_the_records_of_its_own_endpoint_and_of_no_other(
    rehearsal: Rehearsal,
) -> None:
    function = next(
        one
        for one in rehearsal.aws.client("lambda").list_functions()["Functions"]
        if one["Handler"] == "mlplatform_cdk.release.blue_green.runtime.handler.handle"
    )
    admin, role = (one("application-autoscaling") for one in (rehearsal.aws.client, _as_role(rehearsal, function)))
    own, theirs, nobodys = (place_of(name, "z") for name in (ENDPOINT, "other", "unclaimed"))
    arns = {
        place["ResourceId"]: admin.register_scalable_target(**place, MinCapacity=1, MaxCapacity=2, **more)[
            "ScalableTargetARN"
        ]
        for place, more in (
            (own, {"Tags": {OWNER_TAG: ENDPOINT}}),
            (theirs, {"Tags": {OWNER_TAG: "other"}}),
            (nobodys, {}),
        )
    }

    for refused in (
        lambda: role.deregister_scalable_target(**theirs),
        lambda: role.deregister_scalable_target(**nobodys),
        lambda: role.register_scalable_target(**theirs, MinCapacity=0, MaxCapacity=1),
        lambda: role.register_scalable_target(**nobodys, MinCapacity=0, MaxCapacity=1),
        lambda: role.tag_resource(ResourceARN=arns[theirs["ResourceId"]], Tags={OWNER_TAG: ENDPOINT}),
        lambda: role.untag_resource(ResourceARN=arns[theirs["ResourceId"]], TagKeys=[OWNER_TAG]),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()
    rows = _as_role(rehearsal, function)("dynamodb")
    for key in ("other", "lock#other"):
        item = {"endpoint": {"S": key}, "at": {"S": "lock"}}
        with pytest.raises(ClientError, match="AccessDenied"):
            rows.put_item(TableName=rehearsal.outputs["RecordsTable"], Item=item)
    role.deregister_scalable_target(**own)
    for one in (theirs, nobodys):
        admin.deregister_scalable_target(**one)


def _as_role(rehearsal: Rehearsal, function: dict[str, Any]) -> Callable[[str], Any]:
    """Clients with the credentials of a function's role."""
    keys = rehearsal.aws.client("sts").assume_role(RoleArn=function["Role"], RoleSessionName="test")["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    settings = rehearsal.aws.settings
    return partial(session.client, region_name=settings.region, endpoint_url=settings.endpoint_url)


def test_the_runbook_drains_the_region_and_lets_callers_in_again(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, document = rehearsal.outputs["Verdicts"], f"{ENDPOINT}-drain"
    row = {"TableName": table, "Key": {"endpoint": {"S": ENDPOINT}}}
    get = rehearsal.aws.client("dynamodb").get_item
    with runbooks.probed(rehearsal.aws, table, ENDPOINT, monkeypatch):
        refused = runbooks.run(rehearsal.aws, document, Reason="it answers nothing rightly")
        assert "another region must be in service, and none is" in refused["FailureMessage"]
        assert "drain" not in get(**row).get("Item", {})

        anyway = {"Reason": "it answers nothing rightly", "EvenTheLast": "yes"}
        ended = runbooks.run(rehearsal.aws, document, approver=rehearsal.outputs["Approver"], **anyway)

        assert ended["AutomationExecutionStatus"] == "Success", ended
        item = get(**row)["Item"]
        assert (item["status"]["S"], json.loads(item["body"]["S"])["status"]) == ("drained", "drained")
        assert item["drain"]["M"]["by"]["S"] == f"automation-execution/{ended['AutomationExecutionId']}"

        back = runbooks.run(rehearsal.aws, document, Reason="mended", Way="restore")
        assert back["AutomationExecutionStatus"] == "Success", back
        assert get(**row)["Item"]["status"]["S"] == "in-service"


def test_the_runbook_restores_a_table_and_puts_back_what_it_has_lost(rehearsal: Rehearsal) -> None:
    dynamodb, table = rehearsal.aws.client("dynamodb"), rehearsal.outputs["RecordsTable"]
    document, given = f"{ENDPOINT}-restore", {"TableName": table, "Suffix": "before"}
    before = dynamodb.scan(TableName=table)["Items"]
    restored = runbooks.run(rehearsal.aws, document, **given)
    assert restored["AutomationExecutionStatus"] == "Success", restored
    assert dynamodb.scan(TableName=f"{table}-restored-before")["Items"] == before
    lost, changed, *_ = before
    key = {name: lost[name] for name in ("endpoint", "at")}
    dynamodb.delete_item(TableName=table, Key=key)
    dynamodb.put_item(TableName=table, Item={**changed, "who": {"S": "somebody since"}})

    approver = rehearsal.outputs["Approver"]
    copied = runbooks.run(rehearsal.aws, document, approver=approver, **given, At="restored", CopyBack="missing")

    assert copied["Outputs"] == {"Copy.Copied": ["1"], "Copy.Kept": [str(len(before) - 1)]}, copied
    assert dynamodb.get_item(TableName=table, Key=key)["Item"] == lost
    assert "somebody since" in str(dynamodb.scan(TableName=table)["Items"])

    whole = runbooks.run(rehearsal.aws, document, approver=approver, **given, At="restored", CopyBack="all")
    assert whole["Outputs"]["Copy.Copied"] == [str(len(before))], whole
    assert "somebody since" not in str(dynamodb.scan(TableName=table)["Items"])


def test_the_runbook_writes_the_archives_of_a_run_again(rehearsal: Rehearsal) -> None:
    s3, bucket = rehearsal.aws.client("s3"), rehearsal.outputs["Bucket"]

    ended = runbooks.run(rehearsal.aws, f"{ENDPOINT}-replicate", Prefix="runs/run-1/", Which="all")

    assert ended["AutomationExecutionStatus"] == "Success", ended
    assert ended["Outputs"] == {"Replicate.Seen": ["3"], "Replicate.Written": ["3"]}
    versions = s3.list_object_versions(Bucket=bucket, Prefix="runs/run-1/model.tar.gz")["Versions"]
    assert len(versions) == 2
    assert len({one["ETag"] for one in versions}) == 1


def test_the_runbook_makes_an_endpoint_anew_that_is_gone(rehearsal: Rehearsal, kept: tuple[str, str]) -> None:
    first, _ = kept
    rehearsal.aws.client("sagemaker").delete_endpoint(EndpointName=ENDPOINT)
    rehearsal.until(lambda: not rehearsal.aws.client("sagemaker").list_endpoints()["Endpoints"])

    ended = runbooks.run(rehearsal.aws, f"{ENDPOINT}-rebuild", Reason="somebody deleted it")

    assert ended["AutomationExecutionStatus"] == "Success", ended
    assert ended["Outputs"]["Look.Version"] == [first]
    assert rehearsal.endpoint()["EndpointStatus"] == "InService"
    assert rehearsal.traffic() == {first: 1.0}
    rehearsal.ask()


def _targets(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    found = rehearsal.aws.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    return list(found["ScalableTargets"])


def _hold_still(rehearsal: Rehearsal, resource: str) -> None:
    """As a release does."""
    kinds = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    rehearsal.aws.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId=resource,
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        SuspendedState=dict.fromkeys(kinds, True),
    )


def _rest(rehearsal: Rehearsal) -> None:
    """Until nothing runs but what waits for the time of a version to be over."""
    rehearsal.until(lambda: all(_waits(rehearsal, one) for one in _running(rehearsal)))


def _running(rehearsal: Rehearsal) -> list[str]:
    return [one["executionArn"] for one in rehearsal.executions() if one["status"] == "RUNNING"]


def _waits(rehearsal: Rehearsal, execution: str) -> bool:
    return rehearsal.visited(execution)[-1] == "WaitForRetention"

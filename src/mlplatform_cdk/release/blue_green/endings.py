"""How a release ends: people and the registry hear of it, and a failure has found its way back before."""

from typing import Any

from mlplatform_cdk.core.states import State, caught_as
from mlplatform_cdk.release.blue_green.changes import (
    MOST_LOOKS,
    Release,
    kept_configuration_states,
    report_state,
    update_parameters,
)
from mlplatform_cdk.release.blue_green.tasks import FIND_WAY_BACK, Tasks, choice

_BACK = (
    *("way", "looks", "every_s", "tries", "weights", "reject", "step", "reason", "sentence"),
    *("decision", "percent", "gives_up", "rolled_back", "rolls_back"),
)
_RELEASED, _FAILED = "Released", "Failed"
_IS_RELEASE_OVER, _IS_FAILURE_OVER = "IsReleaseOver", "IsFailureOver"


def ending_states(release: Release) -> dict[str, State]:
    """The states after the release, and those after its failure."""
    tasks, endpoint_name, topic_arn = release.tasks, release.specification.endpoint_name, release.topic_arn
    notify = "NotifyFailed" if topic_arn else _IS_FAILURE_OVER
    then = "ReportFailure" if release.report_arn else notify
    states = {
        **_way_back(release),
        **_verdict(tasks, endpoint_name, then),
        **report_state(release, "ReportFailure", "brought back", then=notify),
        _IS_FAILURE_OVER: choice(("$.goes_on", True, "BeginAgain"), default=_FAILED),
        _RELEASED: {"Type": "Succeed"},
        _FAILED: {"Type": "Fail", "ErrorPath": "$.back.step", "CausePath": "$.back.sentence"},
    }
    return states | (_notices(tasks, endpoint_name, topic_arn) if topic_arn else {})


def _way_back(release: Release) -> dict[str, State]:
    """One step back, and another look, until there is nothing left to do."""
    tasks, endpoint_name = release.tasks, release.specification.endpoint_name
    first, kept = kept_configuration_states(release, "CreateBlueConfiguration", "blue", then="RestoreConfiguration")
    for name, state in kept.items():
        if state["Type"] == "Task":  # what could not be made is nothing to go back to: the next round tries again
            kept[name] = caught_as(state, f"$.stumbles.{name}", "WaitForWayBack")
    find = tasks.step(
        FIND_WAY_BACK,
        "go_back",
        {
            "plan.$": "$.plan",
            "failure.$": "$.failure",
            "looks.$": "$.back.looks",
            "tries.$": "$.back.tries",
            "most_looks": MOST_LOOKS,
            **release.pace,
        },
        answers=_BACK,
        into="$.back",
    )
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "RestoreTraffic": (
            "sagemaker:updateEndpointWeightsAndCapacities",
            {"EndpointName": endpoint_name, "DesiredWeightsAndCapacities.$": "$.back.weights"},
        ),
        "RestoreConfiguration": (
            "sagemaker:updateEndpoint",
            update_parameters(endpoint_name, "$.plan.blue.configuration"),
        ),
        "DeleteEndpoint": ("sagemaker:deleteEndpoint", {"EndpointName": endpoint_name}),
    }
    # A step back that fails is no end: the next look finds out what became of it.
    steps = {
        name: caught_as(tasks.call(name, *call), f"$.stumbles.{name}", "WaitForWayBack") | {"Next": "WaitForWayBack"}
        for name, call in calls.items()
    }
    return {
        FIND_WAY_BACK: caught_as(find, "$.lost", "LoseWayBack") | {"Next": "WhichWayBack"},
        "WhichWayBack": choice(
            ("$.back.way", "wait", "WaitForWayBack"),
            ("$.back.way", "weights", "RestoreTraffic"),
            ("$.back.way", "configuration", "IsBlueAlone"),
            ("$.back.way", "delete", "DeleteEndpoint"),
            default="IsVersionToReject",
        ),
        "WaitForWayBack": {"Type": "Wait", "SecondsPath": "$.back.every_s", "Next": FIND_WAY_BACK},
        "IsBlueAlone": choice(("$.plan.blue.alone", False, first), default="RestoreConfiguration"),
        **kept,
        **steps,
    }


def _verdict(tasks: Tasks, endpoint_name: str, then: str) -> dict[str, State]:
    """The registry says why the version is not to be released."""
    reject = tasks.call(
        "RejectVersion",
        "sagemaker:updateModelPackage",
        {
            "ModelPackageArn.$": "$.plan.package_arn",
            "ModelApprovalStatus": "Rejected",
            "ApprovalDescription.$": "$.back.reason",
        },
    )
    settle = tasks.step(
        "Settle",
        "settle",
        {"plan.$": "$.plan", "back.$": "$.back", "goes_on.$": "$.goes_on"},
        answers=(),
        into="",
    )
    lost = f"a release failed and the way back was not found; look at the endpoint {endpoint_name} now: {{}}"
    return {
        "LoseWayBack": {
            "Type": "Pass",
            "Parameters": {
                "step": FIND_WAY_BACK,
                "sentence.$": f"States.Format('{lost}', States.JsonToString($.failure))",
            },
            "ResultPath": "$.back",
            "Next": "GoNoFurther",
        },
        # Whoever took up another's release and lost the way must not go on with its own.
        "GoNoFurther": {"Type": "Pass", "Result": False, "ResultPath": "$.goes_on", "Next": then},
        "IsVersionToReject": choice(("$.back.reject", True, "RejectVersion"), default="Settle"),
        "RejectVersion": caught_as(reject, "$.rejection", "LeaveUnrejected") | {"Next": "Settle"},
        # The record says what is so in the registry.
        "LeaveUnrejected": {"Type": "Pass", "Result": False, "ResultPath": "$.back.reject", "Next": "Settle"},
        # The turn of an execution that cannot give it up is taken by the next one.
        "Settle": caught_as(settle, "$.stumbles.Settle", "GoNoFurther") | {"Next": then},
    }


def _notices(tasks: Tasks, endpoint_name: str, topic_arn: str) -> dict[str, State]:
    """What people hear; a notice that cannot be sent changes nothing about the release."""
    released = f"{{}} serves all traffic of {endpoint_name}: {{}}. Execution: {{}}"
    failed = f"Release to {endpoint_name} failed at {{}}: {{}}. Request: {{}}. Execution: {{}}"
    return {
        "NotifyReleased": _notice(
            tasks,
            "NotifyReleased",
            topic_arn,
            f"Released to {endpoint_name}",
            f"States.Format('{released}', $.plan.label, $.tests.record, $$.Execution.Id)",
            then=_IS_RELEASE_OVER,
        ),
        "NotifyFailed": _notice(
            tasks,
            "NotifyFailed",
            topic_arn,
            f"Release to {endpoint_name} failed",
            f"States.Format('{failed}', $.back.step, $.back.sentence, States.JsonToString($.request), $$.Execution.Id)",
            then=_IS_FAILURE_OVER,
        ),
    }


def _notice(tasks: Tasks, name: str, topic_arn: str, subject: str, message: str, *, then: str) -> State:
    task = tasks.call(name, "sns:publish", {"TopicArn": topic_arn, "Subject": subject, "Message.$": message})
    return caught_as(task, "$.notice", then) | {"Next": then}

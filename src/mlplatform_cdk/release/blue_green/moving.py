"""The loop of the shift: what is next, more traffic, a window of looks at green, a person's answer."""

from mlplatform_cdk.core.states import State
from mlplatform_cdk.release.blue_green.changes import MOST_WEIGHT_LOOKS, Release, scaling_policy, watched
from mlplatform_cdk.release.blue_green.tasks import FIND_WAY_BACK, choice

_MOVE = ("kind", "percent", "looks", "longest", "every_s", "timeout_s", "next", "begun", "weights")
_SEEN = ("what", "looks", "since", "looked", "metrics")


def moving_states(release: Release) -> dict[str, State]:
    """From a plan's beginning, or a green that passed its tests, to the end of the bake."""
    return {**_advancing(release), **_shifting(release), **_observing(release), **_asking(release)}


def _advancing(release: Release) -> dict[str, State]:
    advance = release.tasks.step(
        "Advance",
        "advance",
        {
            "strategy": release.strategy.to_mapping(),
            "plan.$": "$.plan",
            "next.$": "$.progress.next",
            "begun.$": "$.progress.begun",
            "now.$": "$$.State.EnteredTime",
            "metrics.$": "$.window.metrics",
            "alarms": [*release.alarms.get("business", ())],
        },
        answers=_MOVE,
        into="$.progress",
    )
    asked = [("$.progress.kind", "gate", "AskPerson")] if release.strategy.gates else []
    shadowed = [("$.progress.kind", "shadow", "ComeAsShadow")] if release.strategy.shadow_percent else []
    scales = release.specification.scales and release.strategy.bake_looks > 0
    return {
        "Advance": advance | {"Next": "WhichMove"},
        "WhichMove": choice(
            ("$.progress.kind", "shift", "ShiftTraffic"),
            ("$.progress.kind", "observe", "BeginWindow"),
            ("$.progress.kind", "bake", "LetGreenScale" if scales else "BeginWindow"),
            *asked,
            ("$.progress.kind", "finish", "KeepOrRetire"),
            *shadowed,
            default="ComeBeside",
        ),
        **(_scaling(release) if scales else {}),
    }


def _scaling(release: Release) -> dict[str, State]:
    """A bake is long: green has all requests, and scales by them as it will when blue is gone."""
    specification = release.specification
    target = {
        "variant.$": "$.plan.green.variant",
        "minimum": specification.minimum,
        "maximum": specification.maximum,
        "policies": [scaling_policy(specification)],
    }
    let = release.tasks.step("LetGreenScale", "let_scale", {"target": target}, answers=(), into="")
    return {"LetGreenScale": let | {"Next": "BeginWindow"}}


def _shifting(release: Release) -> dict[str, State]:
    shift = release.tasks.change(
        "ShiftTraffic",
        "sagemaker:updateEndpointWeightsAndCapacities",
        {
            "EndpointName": release.specification.endpoint_name,
            "DesiredWeightsAndCapacities.$": "$.progress.weights",
        },
    )
    return {
        "ShiftTraffic": shift | {"Next": "WaitForTraffic"},
        **watched(
            release,
            "Traffic",
            "$.plan.shared.configuration",
            variants="$.progress.weights",
            then="Advance",
            most_looks=MOST_WEIGHT_LOOKS,
        ),
    }


def _observing(release: Release) -> dict[str, State]:
    look = release.tasks.step(
        "Look",
        "look",
        {
            "strategy": release.strategy.to_mapping(),
            "plan.$": "$.plan",
            "progress.$": "$.progress",
            "window.$": "$.window",
            "tested.$": "$.tests.tested",
            "budget_ms.$": "$.tests.budget_ms",
            "now.$": "$$.State.EnteredTime",
            "alarms": {name: [*names] for name, names in release.alarms.items()},
            "machine": dict(release.machine),
        },
        answers=_SEEN,
        into="$.window",
    )
    begun = {"looks": 0, "since.$": "$$.State.EnteredTime", "looked.$": "$$.State.EnteredTime", "metrics": {}}
    return {
        "BeginWindow": {"Type": "Pass", "Parameters": begun, "ResultPath": "$.window", "Next": "WaitToLook"},
        "WaitToLook": {"Type": "Wait", "SecondsPath": "$.progress.every_s", "Next": "Look"},
        "Look": look | {"Next": "WhatWasSeen"},
        "WhatWasSeen": choice(("$.window.what", "again", "WaitToLook"), default="Advance"),
    }


def _asking(release: Release) -> dict[str, State]:
    if release.gate_arn is None or not release.strategy.gates:
        return {}
    from mlplatform_cdk.release.gates import gate_state

    ask = gate_state(
        "AskPerson",
        partition=release.tasks.partition,
        function_arn=release.gate_arn,
        endpoint_name=release.specification.endpoint_name,
        facts={
            "version.$": "$.plan.package_arn",
            "percent.$": "$.progress.percent",
            "timeout_s.$": "$.progress.timeout_s",
            "metrics.$": "$.window.metrics",
        },
        failed=FIND_WAY_BACK,
    )
    return {"AskPerson": ask | {"ResultPath": None, "Next": "Advance"}}

"""Blue's end: kept scaled down as an instant way back, or gone at once; and what former versions left behind."""

from mlplatform_cdk.core.states import State, caught_as
from mlplatform_cdk.release.blue_green.changes import (
    MOST_LOOKS,
    MOST_STILL_LOOKS,
    Release,
    update_state,
    watched,
)
from mlplatform_cdk.release.blue_green.finishing import after_alone
from mlplatform_cdk.release.blue_green.tasks import choice
from mlplatform_cdk.runtimekit.release_rules import seconds

_ONLY_GREEN = [{"VariantName.$": "$.plan.green.variant", "DesiredWeight": 1}]
_TO_GREEN = [*_ONLY_GREEN, {"VariantName.$": "$.plan.blue.variant", "DesiredWeight": 0}]
_KEPT_INSTANCES = 1


def retirement_states(release: Release) -> dict[str, State]:
    """What becomes of blue when green has passed all."""
    keeps = bool(release.strategy.retention)
    then = "LetBlueScaleNoMore" if keeps else "RemoveScaling"
    still = _coming_to_rest(release, then) if release.specification.scales else {}
    first = "HoldStill" if still else then
    return {
        "KeepOrRetire": choice(("$.plan.blue.exists", True, first), default=after_alone(release)),
        **still,
        **(_keeping(release) if keeps else {}),
        **_retiring(release),
    }


def _coming_to_rest(release: Release, then: str) -> dict[str, State]:
    """Green has scaled during the bake, and an endpoint that scales right now takes no other change."""
    hold = release.tasks.step(
        "HoldStill",
        "hold_still",
        {"looks.$": "$.still.looks", "most_looks": MOST_STILL_LOOKS},
        answers=("settled", "looks"),
        into="$.still",
    )
    return {
        "HoldStill": hold | {"Next": "IsStill"},
        "IsStill": choice(("$.still.settled", True, then), default="WaitForStillness"),
        "WaitForStillness": {"Type": "Wait", "Seconds": release.still_every_s, "Next": "HoldStill"},
    }


def _keeping(release: Release) -> dict[str, State]:
    """Blue scaled down, and an execution that will retire it begun: it waits before it takes the turn."""
    blue = {**_TO_GREEN[1], "DesiredInstanceCount": _KEPT_INSTANCES}
    scale_down = release.tasks.change(
        "ScaleDownBlue",
        "sagemaker:updateEndpointWeightsAndCapacities",
        {
            "EndpointName": release.specification.endpoint_name,
            "DesiredWeightsAndCapacities": [*_ONLY_GREEN, blue],
        },
    )
    start = release.tasks.call(
        "StartRetirement",
        "states:startExecution",
        {
            "StateMachineArn.$": "$$.StateMachine.Id",
            "Input": {
                "action": "retire",
                "by": "retention",
                "after_s": seconds(release.strategy.retention),
                "plan.$": "$.plan",
            },
        },
    )
    return {
        "LetBlueScaleNoMore": release.tasks.step(
            "LetBlueScaleNoMore", "remove_scaling", {"scaled.$": "$.plan.scaled"}, answers=(), into=""
        )
        | {"Next": "ScaleDownBlue"},
        "ScaleDownBlue": scale_down | {"Next": "WaitForScaleDown"},
        **watched(
            release,
            "ScaleDown",
            "$.plan.shared.configuration",
            variants=_TO_GREEN,
            then=after_alone(release),
            most_looks=MOST_LOOKS,
        ),
        "IsBlueKept": choice(("$.plan.blue.exists", True, "StartRetirement"), default="Conclude"),
        "StartRetirement": start | {"Next": "Conclude"},
    }


def _retiring(release: Release) -> dict[str, State]:
    clean = release.tasks.step(
        "CleanUpRetired", "clean_up", {"kept_versions": release.strategy.kept_versions}, answers=(), into=""
    )
    conclude = release.tasks.step(
        "ConcludeRetirement",
        "conclude",
        {
            "as": "Retired",
            "decision": "blue is gone",
            "percent": 100.0,
            "goes_on": False,
            "plan.$": "$.plan",
        },
        answers=(),
        into="",
    )
    return {
        "RemoveScaling": release.tasks.step(
            "RemoveScaling", "remove_scaling_of_blue", {"blue.$": "$.plan.blue.variant"}, answers=(), into=""
        )
        | {"Next": "RetireBlue"},
        "RetireBlue": update_state(release, "RetireBlue", "$.plan.green.configuration") | {"Next": "WaitForRetirement"},
        **watched(release, "Retirement", "$.plan.green.configuration", variants=_ONLY_GREEN, then="WhoseRetirement"),
        "WhoseRetirement": {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [
                        {"Variable": "$.turn.way", "IsPresent": True},
                        {"Variable": "$.turn.way", "StringEquals": "retire"},
                    ],
                    "Next": "CleanUpRetired",
                }
            ],
            "Default": after_alone(release),
        },
        # What is left over costs nothing and is taken by the next one.
        "CleanUpRetired": caught_as(clean, "$.stumbles.CleanUp", "ConcludeRetirement") | {"Next": "ConcludeRetirement"},
        "ConcludeRetirement": conclude | {"Next": "Retired"},
        "Retired": {"Type": "Succeed"},
    }

"""Green comes: its model, its configurations, in service beside blue without traffic, and its tests."""

from typing import Any

from mlplatform_cdk.core.states import State
from mlplatform_cdk.release.blue_green.changes import (
    MOST_STILL_LOOKS,
    MOST_WEIGHT_LOOKS,
    PLAN,
    Release,
    configuration_state,
    kept_configuration_states,
    update_state,
    watched,
)
from mlplatform_cdk.release.blue_green.tasks import choice

_RECORD = ("record", "requests", "latency_p50_ms", "latency_max_ms", "budget_ms", "within_budget", "tested")
TO_BLUE = [
    {"VariantName.$": "$.plan.green.variant", "DesiredWeight": 0},
    {"VariantName.$": "$.plan.blue.variant", "DesiredWeight": 1},
]


def bringing_states(release: Release) -> dict[str, State]:
    """From the plan to a green that passed its tests."""
    return {**_making(release), **_alone(release), **_beside(release), **_taking_back(release), **_testing(release)}


def _making(release: Release) -> dict[str, State]:
    """The model, and the configuration that holds it alone."""
    specification = release.specification
    model: dict[str, Any] = {
        "ModelName.$": "$.plan.model.name",
        "ExecutionRoleArn": specification.model_role_arn,
        "EnableNetworkIsolation": specification.network_isolation,
        "PrimaryContainer": {
            "Image.$": "$.plan.model.image",
            "ModelDataUrl.$": "$.plan.model.data_url",
            "Environment.$": "$.plan.model.environment",
        },
    }
    if specification.subnet_ids:
        subnets, groups = [*specification.subnet_ids], [*specification.security_group_ids]
        model["VpcConfig"] = {"Subnets": subnets, "SecurityGroupIds": groups}
    create_model = release.tasks.call("CreateModel", "sagemaker:createModel", model)
    return {
        "CreateModel": create_model | {"Next": "CreateGreenConfiguration"},
        "CreateGreenConfiguration": configuration_state(release, "CreateGreenConfiguration", "green", keyed=True)
        | {"Next": "HowDoesGreenCome"},
        "HowDoesGreenCome": choice(("$.plan.way", "first", "CreateEndpoint"), default="SuspendScaling"),
        **_resting(release, then="HasGreenTraffic"),
        "HasGreenTraffic": choice(("$.plan.way", "resume", "TakeTrafficBack"), default="Advance"),
    }


def _resting(release: Release, *, then: str) -> dict[str, State]:
    """Scaling stands still, what it has begun is over, and the plan is of the sizes that came of it."""
    hold = release.tasks.step(
        "SuspendScaling",
        "hold_still",
        {"looks.$": "$.rest.looks", "most_looks": MOST_STILL_LOOKS},
        answers=("settled", "looks"),
        into="$.rest",
    )
    measure = release.tasks.step(
        "Measure",
        "measure",
        {"plan.$": "$.plan", "specification": release.specification.to_mapping()},
        answers=PLAN,
        into="$.plan",
    )
    return {
        "SuspendScaling": hold | {"Next": "IsBlueStill"},
        "IsBlueStill": choice(("$.rest.settled", True, "Measure"), default="WaitForBlue"),
        "WaitForBlue": {"Type": "Wait", "Seconds": release.still_every_s, "Next": "SuspendScaling"},
        "Measure": measure | {"Next": then},
    }


def _alone(release: Release) -> dict[str, State]:
    """The first version of an endpoint, which comes with the endpoint."""
    create = release.tasks.change(
        "CreateEndpoint",
        "sagemaker:createEndpoint",
        {
            "EndpointName": release.specification.endpoint_name,
            "EndpointConfigName.$": "$.plan.green.configuration",
        },
    )
    return {"CreateEndpoint": create | {"Next": "WaitForGreen"}}


def _beside(release: Release) -> dict[str, State]:
    """Green beside blue, or first as its shadow."""
    first, states = kept_configuration_states(release, "CreateSharedConfiguration", "shared", then="BringUpGreen")
    bring = update_state(release, "BringUpGreen", "$.plan.shared.configuration", retain="$.plan.shared.retain")
    states |= {
        "ComeBeside": {"Type": "Pass", "Next": first},
        "BringUpGreen": bring | {"Next": "WaitForGreen"},
        **watched(release, "Green", "$.plan.shared.configuration", then="TestGreen"),
    }
    if not release.strategy.shadow_percent:
        return states
    first, shadow = kept_configuration_states(release, "CreateShadowConfiguration", "shadow", then="BringUpShadow")
    return {
        **states,
        **shadow,
        "ComeAsShadow": {"Type": "Pass", "Next": first},
        "BringUpShadow": update_state(release, "BringUpShadow", "$.plan.shadow.configuration")
        | {"Next": "WaitForShadow"},
        **watched(release, "Shadow", "$.plan.shadow.configuration", then="Advance"),
    }


def _taking_back(release: Release) -> dict[str, State]:
    """Green has traffic that nobody remembers a test for: without it, it is tested like any other."""
    take = release.tasks.change(
        "TakeTrafficBack",
        "sagemaker:updateEndpointWeightsAndCapacities",
        {"EndpointName": release.specification.endpoint_name, "DesiredWeightsAndCapacities": TO_BLUE},
    )
    return {
        "TakeTrafficBack": take | {"Next": "WaitForTakeBack"},
        **watched(
            release,
            "TakeBack",
            "$.plan.shared.configuration",
            variants=TO_BLUE,
            then="TestGreen",
            most_looks=MOST_WEIGHT_LOOKS,
        ),
    }


def _testing(release: Release) -> dict[str, State]:
    test = release.tasks.step(
        "TestGreen",
        "test",
        {
            "variant.$": "$.plan.green.variant",
            "manifest.$": "$.plan.manifest",
            "plan.$": "$.plan",
            "strategy": release.strategy.to_mapping(),
            "capture_uri": release.specification.capture_uri or "",
        },
        answers=_RECORD,
        into="$.tests",
    )
    return {"TestGreen": test | {"Next": "Advance"}}

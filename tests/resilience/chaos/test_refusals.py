"""Which experiments are refused when the app is built?"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import ArtifactStore, Keys, PlatformStack
from mlplatform_cdk.resilience import (
    CapacityLost,
    InterfaceEndpointLost,
    LambdaErrors,
    LambdaLatency,
    NetworkLatency,
    ZoneLost,
)
from mlplatform_cdk.serving import Endpoint, ReleasedEndpoint
from tests.resilience.building import stack_in
from tests.resilience.chaos.building import CALLERS, CRON, alarm, experiments, lost, subnets


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"stop_on": []}, "stop_on must be 1 to 5 alarms for capacity, got 0"),
        ({"schedule": {"other": CRON}}, "schedule must be of capacity, got other"),
        ({"schedule": {"capacity": "rate(1 day)"}}, r"a schedule must be like 'cron\(0 10 "),
        ({"schedule": {"capacity": "cron(0 3 ? * TUE *)"}}, "one minute of one hour from 8 to 15, while people work"),
        ({"schedule": {"capacity": "cron(0 10 ? * SUN *)"}}, "days from MON to FRI"),
        ({"faults": {}}, "faults must name at least one experiment, got none"),
    ],
)
def test_an_experiment_that_nothing_stops_or_starts_is_refused(more: dict[str, Any], sentence: str) -> None:
    stack = stack_in()
    given = {"faults": {"capacity": lost(stack)}, "reports": None} | more

    with pytest.raises(ConfigurationError, match=sentence):
        experiments(stack, **given)


def test_an_experiment_that_only_its_own_alarms_would_stop_is_refused() -> None:
    stack = stack_in()
    out = alarm(stack, "out")
    fault = CapacityLost(endpoint=Endpoint.from_endpoint_name(stack, "E", "churn"), rings=[out])

    with pytest.raises(ConfigurationError, match="an alarm that capacity does not raise itself, got 1 that it does"):
        experiments(stack, {"capacity": fault}, stop_on=[out], reports=None)


def test_production_is_broken_only_where_that_is_said() -> None:
    stack = PlatformStack(App(), "MlPlatform-Prod-Serving", env=Environment(account="1" * 12, region="eu-west-1"))

    with pytest.raises(ConfigurationError, match="a place called 'prod' must be meant to, got in_production=False"):
        experiments(stack, {"capacity": lost(stack)}, reports=None)


def test_an_endpoint_that_releases_change_is_not_changed_behind_their_back() -> None:
    stack = stack_in()
    key = Keys(stack, "Keys").data
    artifacts = ArtifactStore(stack, "Artifacts", key=key)
    endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name="churn", artifacts=artifacts, key=key)

    with pytest.raises(ValueError, match="records must be given for churn, which releases change, got none"):
        CapacityLost(endpoint=endpoint)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda _stack: ZoneLost(subnets=[]), "subnets must be 1 to 5, got 0"),
        (lambda stack: ZoneLost(subnets=subnets(stack, 6)), "subnets must be 1 to 5, got 6"),
        (lambda stack: ZoneLost(subnets=subnets(stack), lasts=timedelta(seconds=90)), "lasts must be whole minutes"),
        (lambda stack: ZoneLost(subnets=subnets(stack), lasts=timedelta(hours=12)), "lasts must be whole minutes"),
        (
            lambda stack: CapacityLost(endpoint=Endpoint.from_endpoint_name(stack, "E", "e"), instances_left=0),
            "instances_left must be at least 1, got 0",
        ),
        (lambda _stack: NetworkLatency(tasks={}, to=["a.example.com"]), "tasks must name a tag at least, got none"),
        (lambda _stack: NetworkLatency(tasks=CALLERS, to=["ALL"]), "to must be a list of domain names"),
        (
            lambda _stack: NetworkLatency(tasks=CALLERS, to=["a.example.com"], delay=timedelta(milliseconds=50)),
            "jitter in 0 to delay, got 50 and 100 ms",
        ),
        (
            lambda _stack: NetworkLatency(tasks=CALLERS, to=["a.example.com"], percent=0),
            "percent must lie in 1 to 100, got 0",
        ),
        (lambda _stack: InterfaceEndpointLost(endpoints=[]), "endpoints must be 1 to 5, got 0"),
        (lambda _stack: LambdaErrors(functions=[], told_by=None), "functions must be 1 to 5, got 0"),
        (
            lambda _stack: LambdaLatency(functions=[None], told_by=None, delay=timedelta(hours=1)),
            "delay must lie above 0 to 15 minutes",
        ),
    ],
)
def test_a_fault_that_could_not_be_is_refused(make: Callable[[Stack], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make(stack_in())

"""Does the check of state machines catch what AWS would refuse?"""

from typing import Any

import pytest

from tests.contracts.asl import needed_actions, problems

RETRY = {"ErrorEquals": ["States.TaskFailed"], "BackoffRate": 2, "MaxDelaySeconds": 60, "JitterStrategy": "FULL"}
GOOD: dict[str, Any] = {
    "ModelName.$": "$.name",
    "ExecutionRoleArn": "arn:aws:iam::123456789012:role/model",
    "PrimaryContainer": {"Image": "image:1", "Environment": {"A.$": "States.Format('{}', $.a)"}},
    "EnableNetworkIsolation": True,
    "Tags": [{"Key": "run", "Value.$": "$.run"}],
}


def machine(parameters: dict[str, Any], *, call: str = "sagemaker:createModel", **more: Any) -> dict[str, Any]:
    task = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::{call}",
        "Parameters": parameters,
        "TimeoutSeconds": 60,
        "Retry": [RETRY],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
        "End": True,
        **more,
    }
    return {"StartAt": "Create", "States": {"Create": task, "Failed": {"Type": "Fail"}}}


def test_a_good_machine_has_no_problems() -> None:
    assert problems(machine(GOOD)) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param({"ModelNam": "m"}, "Parameters.ModelNam is unknown", id="a misspelt parameter"),
        pytest.param({"PrimaryContainer": {"Imag": "i"}}, "PrimaryContainer.Imag is unknown", id="misspelt inside"),
        pytest.param({"EnableNetworkIsolation": "true"}, "must be of type boolean, got 'true'", id="a text for a flag"),
        pytest.param({"Tags": {"run": "1"}}, "Tags must be of type list", id="an object for a list"),
        pytest.param({"Tags": [{"Key": "run"}]}, "Parameters.Tags[0].Value is missing", id="missing inside a list"),
        pytest.param({"ExecutionRoleArn": "admin"}, "Parameters.ExecutionRoleArn must", id="no ARN"),
        pytest.param({"PrimaryContainer": {"Mode": "Several"}}, "must be one of SingleModel, MultiModel", id="an enum"),
        pytest.param(
            {"Tags.$": "States.Format('{}', $.x)"}, "must be of type list, got a text", id="a text for a list"
        ),
        pytest.param({"ModelName.$": "name"}, "must be a path or an intrinsic function", id="a path without $"),
        pytest.param({"ModelName.$": "States.Formt('')"}, "must be a path or an intrinsic", id="a misspelt intrinsic"),
        pytest.param({"ModelName.$": "States.Format('{}, $.a)"}, "must have its quotes", id="an open quote"),
        pytest.param({"PrimaryContainer": {"Image": "$.image"}}, "but its key does not end with '.$'", id="no .$"),
        pytest.param({"PrimaryContainer": {"Environment": {"A": 1}}}, "Environment.A must be of type", id="a map"),
    ],
)
def test_a_parameter_that_aws_would_refuse_is_found(change: dict[str, Any], problem: str) -> None:
    kept = {
        key: value for key, value in GOOD.items() if key.removesuffix(".$") not in {k.split(".")[0] for k in change}
    }

    found = problems(machine({**kept, **change}))

    assert any(problem in one for one in found), found


def test_a_missing_parameter_is_found() -> None:
    assert problems(machine({})) == ["Create: Parameters.ModelName is missing"]


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("sagemaker:createModle", "has no action 'createModle'"),
        ("sagmaker:createModel", "the service 'sagmaker' does not exist"),
        ("aws-sdk:sagemaker:CreateModel", "has no action 'CreateModel'"),
    ],
)
def test_a_call_that_does_not_exist_is_found(call: str, problem: str) -> None:
    (found,) = problems(machine(GOOD, call=call))

    assert problem in found


@pytest.mark.parametrize("key", ["Retry", "Catch", "TimeoutSeconds"])
def test_a_task_without_a_way_out_is_found(key: str) -> None:
    definition = machine(GOOD)
    del definition["States"]["Create"][key]

    assert f"Create: a task must have {key}" in problems(definition)


def test_a_retry_that_would_hammer_is_found() -> None:
    found = problems(machine(GOOD, Retry=[{"ErrorEquals": ["States.Timeout"]}]))

    assert [one.rsplit(" ", 1)[-1] for one in found] == ["BackoffRate", "MaxDelaySeconds", "JitterStrategy"]


def test_arrows_lead_somewhere_and_every_state_is_led_to() -> None:
    definition = machine(GOOD, Next="Nowhere", End=False)
    definition["States"]["Lonely"] = {"Type": "Succeed"}

    assert problems(definition) == ["Create: leads to 'Nowhere', which does not exist", "Lonely: nothing leads to it"]


def test_states_inside_a_map_and_branches_are_checked_too() -> None:
    inner = {"Type": "Map", "ItemProcessor": machine({}), "End": True}
    outer = {"Type": "Parallel", "Branches": [{"StartAt": "Each", "States": {"Each": inner}}], "End": True}

    assert problems({"StartAt": "All", "States": {"All": outer}}) == ["Create: Parameters.ModelName is missing"]


def test_a_synchronous_job_needs_more_than_its_own_call() -> None:
    definition = machine({}, call="sagemaker:createTrainingJob.sync")

    assert needed_actions(definition) == {
        "sagemaker:CreateTrainingJob",
        "sagemaker:DescribeTrainingJob",
        "sagemaker:StopTrainingJob",
        "iam:PassRole",
        "events:PutTargets",
        "events:PutRule",
        "events:DescribeRule",
    }

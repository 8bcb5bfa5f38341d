"""Is what is remembered, or sent in one message, the same as CDK's own?"""

import json
from typing import Any

import pytest
from aws_cdk import App, ArnFormat, Duration, Environment, Fn, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from mlplatform_cdk.core import (
    PlatformFunction,
    PlatformRole,
    arn_of,
    days,
    grant,
    grant_decrypt,
    hours,
    is_known,
    key_arn,
    minutes,
    partition_of,
    resource_of,
    seconds_of,
    stack_of,
)

LAMBDA = iam.ServicePrincipal("lambda.amazonaws.com")


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Test")


def statements(stack: Stack, kind: str) -> list[Any]:
    policies = Template.from_stack(stack).find_resources(kind).values()
    return [one for policy in policies for one in policy["Properties"]["PolicyDocument"]["Statement"]]


@pytest.mark.parametrize("env", [None, Environment(account="123456789012", region="cn-north-1")], ids=["any", "china"])
def test_an_arn_is_the_one_that_the_stack_would_write(env: Environment | None) -> None:
    stack = Stack(App(), "Test", env=env)
    jobs = stack.format_arn(service="sagemaker", resource="training-job", resource_name="*-train")
    groups = stack.format_arn(
        service="logs", resource="log-group", resource_name="jobs:*", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    role = stack.format_arn(service="iam", region="", account="111122223333", resource="role", resource_name="Jobs")

    ours = [
        arn_of(stack, "sagemaker", "training-job/*-train"),
        arn_of(stack, "logs", "log-group:jobs:*"),
        arn_of(stack, "iam", "role/Jobs", region="", account="111122223333"),
    ]

    assert stack.resolve(ours) == stack.resolve([jobs, groups, role])


@pytest.mark.parametrize("env", [None, Environment(account="123456789012", region="cn-north-1")], ids=["any", "china"])
def test_a_partition_is_that_of_the_stack(env: Environment | None) -> None:
    stack = Stack(App(), "Test", env=env)

    assert stack.resolve(partition_of(kms.Key(stack, "Key"))) == stack.resolve(stack.partition)


def test_seconds_are_those_of_the_duration_that_was_asked() -> None:
    one, two = Duration.hours(1), Duration.minutes(2)

    assert [seconds_of(each) for each in (one, two, one)] == [3600, 120, 3600]


@pytest.mark.parametrize(("length", "seconds"), [(minutes(15), 900), (hours(4), 14_400), (days(28), 2_419_200)])
def test_a_length_that_we_made_lasts_as_long_as_cdk_says(length: Duration, seconds: int) -> None:
    assert seconds_of(length) == seconds == length.to_seconds()


def test_an_answer_is_of_the_construct_that_was_asked_and_of_no_other(stack: Stack) -> None:
    other = Stack(stack.node.scope, "Other")  # type: ignore[arg-type] # a stack below an app
    one, two = kms.Key(stack, "One"), kms.Key(other, "Two")

    assert (stack_of(one), stack_of(two)) == (stack, other)
    assert (stack_of(one), stack_of(two)) == (stack, other)
    assert key_arn(one) == key_arn(one)
    assert stack.resolve(key_arn(one)) != other.resolve(key_arn(two))
    assert resource_of(one).cfn_resource_type == "AWS::KMS::Key"


def test_a_function_is_granted_through_its_role(stack: Stack) -> None:
    function = PlatformFunction(stack, "Probe", package="mlplatform_cdk.runtimekit", description="probes")

    grant(function, iam.PolicyStatement(actions=["states:StartExecution"], resources=["*"]))

    assert "states:StartExecution" in json.dumps(statements(stack, "AWS::IAM::ManagedPolicy"))


def test_a_role_that_is_not_ours_is_granted_as_cdk_does(stack: Stack) -> None:
    role, key = iam.Role(stack, "Theirs", assumed_by=LAMBDA), kms.Key(stack, "Key")

    grant_decrypt(key, role)

    (statement,) = statements(stack, "AWS::IAM::Policy")
    assert statement["Action"] == ["kms:Decrypt", "kms:DescribeKey"]
    assert statement["Resource"] == stack.resolve(key.key_arn)


def test_statements_of_one_role_keep_their_order(stack: Stack) -> None:
    role = PlatformRole(stack, "Role", assumed_by=LAMBDA, description="acts")
    one, two, three = (
        iam.PolicyStatement(actions=[action], resources=[f"arn:aws:s3:::{action[-3:].lower()}"])
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
    )

    role.allow(one, two)
    role.add_to_principal_policy(three)

    actions = [statement["Action"] for statement in statements(stack, "AWS::IAM::ManagedPolicy")]
    assert actions == ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]


@pytest.mark.parametrize("value", ["churn", "", "${Token", "-1.5", 3, True, 2.5])
def test_what_holds_no_token_is_known(value: object) -> None:
    assert is_known(value)


def test_a_token_is_not_known_whatever_holds_it() -> None:
    token = Fn.ref("Parameter")
    number = Token.as_number(Fn.get_att("Resource", "Count"))

    for value in (token, f"s3://{token}/runs", number, f"{number} of them", Token.as_list(Fn.get_att("A", "B"))):
        assert not is_known(value)

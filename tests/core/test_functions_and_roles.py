"""What does every function and role of ours have?"""

import json
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from mlplatform_cdk.core import (
    LAMBDA_RUNTIME,
    PlatformFunction,
    PlatformRole,
    dead_letters_of,
    grant_actions,
    grant_read,
    grant_write,
    reading,
    service_principal,
    writing,
)

PACKAGE = "mlplatform_cdk.runtimekit"


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Test")


def resources(stack: Stack, kind: str) -> list[dict[str, Any]]:
    found = Template.from_stack(stack).find_resources(kind)
    return [resource["Properties"] for resource in found.values()]


def test_a_function_has_logs_traces_dead_letters_and_a_current_runtime(stack: Stack) -> None:
    PlatformFunction(stack, "Probe", package=PACKAGE, description="probes")

    (function,) = resources(stack, "AWS::Lambda::Function")
    assert function["Runtime"] == "python3.14"
    assert function["Architectures"] == ["arm64"]
    assert function["Handler"] == f"{PACKAGE}.handler.handle"
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert "DeadLetterConfig" in function
    (log_group,) = resources(stack, "AWS::Logs::LogGroup")
    assert log_group["RetentionInDays"] == 180


def test_two_functions_of_one_package_run_a_module_each(stack: Stack) -> None:
    PlatformFunction(stack, "Probe", package=PACKAGE, description="probes")
    PlatformFunction(stack, "Other", package=PACKAGE, module="other_handler", description="does another thing")

    handlers = {one["Handler"] for one in resources(stack, "AWS::Lambda::Function")}
    assert handlers == {f"{PACKAGE}.handler.handle", f"{PACKAGE}.other_handler.handle"}


def test_a_function_whose_calls_are_bounded_needs_no_reason_for_being_unbounded(stack: Stack) -> None:
    PlatformFunction(stack, "Free", package=PACKAGE, description="probes")
    PlatformFunction(stack, "Bound", package=PACKAGE, description="probes", most_at_once=5)

    made = Template.from_stack(stack).find_resources("AWS::Lambda::Function").values()
    bounds = {
        one["Properties"].get("ReservedConcurrentExecutions"): {
            skip["id"] for skip in one["Metadata"]["checkov"]["skip"]
        }
        for one in made
    }
    assert bounds == {None: {"CKV_AWS_115", "CKV_AWS_117"}, 5: {"CKV_AWS_117"}}


def test_functions_of_a_stack_share_one_dead_letter_queue(stack: Stack) -> None:
    PlatformFunction(stack, "One", package=PACKAGE, description="one")
    PlatformFunction(stack, "Two", package=PACKAGE, description="two")

    assert len(resources(stack, "AWS::SQS::Queue")) == 1


def test_a_function_says_where_its_dead_letters_go(stack: Stack) -> None:
    function = PlatformFunction(stack, "Probe", package=PACKAGE, description="probes")

    (properties,) = resources(stack, "AWS::Lambda::Function")
    assert function.dead_letter_queue == dead_letters_of(stack)
    assert stack.resolve(function.dead_letter_queue.queue_arn) == properties["DeadLetterConfig"]["TargetArn"]


def test_a_function_may_from_the_start_what_it_is_given_later_in_the_same_words(stack: Stack) -> None:
    other = Stack(App(), "Test")
    for scope in (stack, other):
        bucket = s3.Bucket(scope, "Bucket", encryption_key=kms.Key(scope, "Key"))
        given = [reading(bucket, prefix="runs/"), writing(bucket, object_key="profile.json")]
        at_once = scope is stack
        function = PlatformFunction(
            scope, "Probe", package=PACKAGE, description="probes", access=given if at_once else ()
        )
        if not at_once:
            grant_read(bucket, function, prefix="runs/")
            grant_write(bucket, function, object_key="profile.json")

    assert Template.from_stack(stack).to_json() == Template.from_stack(other).to_json()


def test_a_role_grants_as_cdk_would(stack: Stack) -> None:
    role = PlatformRole(stack, "Role", assumed_by=service_principal("lambda.amazonaws.com"), description="acts")

    granted = grant_actions(role, ["s3:ListBucket"], "arn:aws:s3:::lake")

    assert granted.success
    (policy,) = resources(stack, "AWS::IAM::ManagedPolicy")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement == {"Action": "s3:ListBucket", "Effect": "Allow", "Resource": "arn:aws:s3:::lake"}


def test_the_runtime_is_the_newest_that_cdk_knows() -> None:
    def version(name: str) -> tuple[int, ...]:
        return tuple(int(part) for part in name.removeprefix("PYTHON_").split("_"))

    newest = max((name for name in dir(lambda_.Runtime) if name.startswith("PYTHON_3")), key=version)
    assert getattr(lambda_.Runtime, newest).name == LAMBDA_RUNTIME.name


def test_what_is_granted_stands_in_one_managed_policy_that_the_role_names(stack: Stack) -> None:
    role = PlatformRole(
        stack, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"), description="reads and writes"
    )
    bucket = s3.Bucket(stack, "Bucket", encryption_key=kms.Key(stack, "Key"))

    grant_read(bucket, role, prefix="runs/")
    grant_write(bucket, role, prefix="runs/")

    assert not resources(stack, "AWS::IAM::Policy")
    (policy,) = resources(stack, "AWS::IAM::ManagedPolicy")
    (role_properties,) = resources(stack, "AWS::IAM::Role")
    assert len(role_properties["ManagedPolicyArns"]) == 1
    actions = json.dumps([statement["Action"] for statement in policy["PolicyDocument"]["Statement"]])
    assert "*" not in actions
    assert "s3:DeleteObject" not in actions


def test_a_grant_under_a_prefix_does_not_reach_the_rest_of_the_bucket(stack: Stack) -> None:
    role = PlatformRole(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), description="reads")

    grant_read(s3.Bucket(stack, "Bucket"), role, prefix="runs/")

    (policy,) = resources(stack, "AWS::IAM::ManagedPolicy")
    objects = next(s for s in policy["PolicyDocument"]["Statement"] if "s3:GetObject" in s["Action"])
    assert objects["Resource"]["Fn::Join"][1][-1] == "/runs/*"


def test_who_writes_lists_the_bucket_unless_it_is_not_to(stack: Stack) -> None:
    bucket = s3.Bucket(stack, "Bucket")
    for name, lists in (("Looks", True), ("Blind", False)):
        role = PlatformRole(stack, name, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), description=name)
        grant_write(bucket, role, prefix="reports/", lists=lists)

    text = [json.dumps(one["PolicyDocument"]) for one in resources(stack, "AWS::IAM::ManagedPolicy")]
    assert sorted("s3:ListBucket" in one for one in text) == [False, True]
    assert all("s3:PutObject" in one for one in text)


def test_a_grant_of_one_object_reaches_no_other_and_needs_no_pattern(stack: Stack) -> None:
    role = PlatformRole(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), description="reads")

    grant_read(s3.Bucket(stack, "Bucket"), role, object_key="profile.json")

    (policy,) = resources(stack, "AWS::IAM::ManagedPolicy")
    objects = next(s for s in policy["PolicyDocument"]["Statement"] if "s3:GetObject" in s["Action"])
    assert objects["Resource"]["Fn::Join"][1][-1] == "/profile.json"

"""Does a role allow what is called under it, and nothing more?"""

from typing import Any

import pytest

from mlplatform_cdk.assembly.check.permissions.check import Permissions
from mlplatform_cdk.assembly.check.templates import Template
from tests.assembly.check.conftest import Make, function, machine, role

HEAD = "import boto3\n"
CALLS = [
    pytest.param("def handle(e, c):\n  boto3.client('s3').get_object(Bucket='b')", "s3:GetObject", id="at once"),
    pytest.param(
        "s3 = boto3.client('s3')\ndef handle(e, c):\n  s3.head_object()", "s3:GetObject", id="a module's client"
    ),
    pytest.param(
        "def handle(e, c):\n  pages = boto3.client('s3').get_paginator('list_objects_v2')", "s3:ListBucket", id="pages"
    ),
    pytest.param(
        "def handle(e, c):\n  boto3.client('sagemaker').get_waiter('endpoint_in_service')",
        "sagemaker:DescribeEndpoint",
        id="a waiter",
    ),
    pytest.param(
        "def made():\n  return boto3.client('lambda')\ndef handle(e, c):\n  made().invoke()",
        "lambda:InvokeFunction",
        id="a function that makes it",
    ),
    pytest.param(
        "class World:\n  def __init__(self):\n    self.queue = boto3.client('sqs')\n  def tell(self):\n"
        "    self.queue.send_message_batch()\ndef handle(e, c):\n  World().tell()",
        "sqs:SendMessage",
        id="an attribute",
    ),
    pytest.param(
        "def told(client):\n  client.describe_endpoint()\ndef handle(e, c):\n  told(boto3.client('sagemaker'))",
        "sagemaker:DescribeEndpoint",
        id="a parameter",
    ),
    pytest.param(
        "def handle(e, c):\n  a, b = boto3.client('sns'), 1\n  for call in (a.publish,):\n    call()",
        "sns:Publish",
        id="a method handed on",
    ),
    pytest.param(
        "def handle(e, c):\n  getattr(boto3.client('sagemaker'), 'stop_' + e)\nNAMES = ['stop_training_job']",
        "sagemaker:StopTrainingJob",
        id="a computed name among those said",
    ),
    pytest.param("def handle(e, c):\n  boto3.client('s3').upload_file('a', 'b', 'c')", "s3:PutObject", id="a transfer"),
    pytest.param(
        "def handle(e, c):\n  boto3.resource('dynamodb').Table('t').query()", "dynamodb:Query", id="a resource's method"
    ),
    pytest.param(
        "def handle(e, c):\n  boto3.client('sagemaker').create_model(ExecutionRoleArn=e)",
        "iam:PassRole",
        id="a role handed on",
    ),
]


def found(made: Template) -> list[str]:
    return sorted({finding.rule for finding in Permissions().findings(made)})


@pytest.mark.parametrize(("code", "action"), CALLS)
def test_a_call_that_the_role_does_not_allow_is_found(template: Make, code: str, action: str) -> None:
    made = template({"Role": role("logs:PutLogEvents"), "Function": function(HEAD + code)})

    assert f"permission-missing[{action}]" in found(made)


@pytest.mark.parametrize(("code", "action"), CALLS)
def test_a_call_that_the_role_allows_is_no_finding(template: Make, code: str, action: str) -> None:
    allowed = [action, "sagemaker:CreateModel"]
    rules = found(template({"Role": role(*allowed), "Function": function(HEAD + code)}))

    assert [rule for rule in rules if action in rule] == []


def test_what_nothing_calls_is_unused_and_what_aws_does_for_the_role_is_not(template: Make) -> None:
    actions = ["s3:GetObject", "s3:ListBucket", "s3:DeleteObject", "kms:Decrypt", "xray:PutTraceSegments"]
    code = HEAD + "def handle(e, c):\n  boto3.client('s3').get_object()"

    assert found(template({"Role": role(*actions), "Function": function(code)})) == [
        "permission-unused[s3:DeleteObject]"
    ]


def test_code_that_the_handler_cannot_reach_does_not_count(template: Make) -> None:
    code = HEAD + "def other():\n  boto3.client('s3').put_object()\ndef handle(e, c):\n  pass"

    assert found(template({"Role": role("s3:PutObject"), "Function": function(code)})) == [
        "permission-unused[s3:PutObject]"
    ]


@pytest.mark.parametrize(
    ("properties", "extra"),
    [
        ({"VpcConfig": {"SubnetIds": ["a"]}}, {}),
        ({"DeadLetterConfig": {"TargetArn": "a"}}, {}),
        ({}, {"Map": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Ref": "Function"}}}}),
    ],
    ids=["a network", "dead letters", "an event source"],
)
def test_permissions_that_the_service_uses_for_the_function_are_not_unused(
    template: Make, properties: dict[str, Any], extra: dict[str, Any]
) -> None:
    needed = {"VpcConfig": "ec2:CreateNetworkInterface", "DeadLetterConfig": "sqs:SendMessage"}
    action = needed.get(next(iter(properties), ""), "sqs:ReceiveMessage")
    bare = {"Role": role(action), "Function": function("def handle(e, c): pass")}
    dressed = {"Role": role(action), "Function": function("def handle(e, c): pass", **properties), **extra}

    assert found(template(bare)) == [f"permission-unused[{action}]"]
    assert found(template(dressed)) == []


def test_policies_attached_from_outside_the_role_count(template: Make) -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    document = {"PolicyDocument": {"Statement": statement}}
    code = function(HEAD + "def handle(e, c):\n  boto3.client('s3').get_object()")
    for kind, properties in (
        ("AWS::IAM::Policy", {"Roles": [{"Ref": "Role"}]}),
        ("AWS::IAM::ManagedPolicy", {"Roles": [{"Ref": "Role"}]}),
        ("AWS::S3::BucketPolicy", {}),
    ):
        by_name = {**statement, "Principal": {"AWS": {"Fn::GetAtt": ["Role", "Arn"]}}}
        body = document if properties else {"PolicyDocument": {"Statement": [by_name]}}
        resources = {"Role": role(), "Function": code, "P": {"Type": kind, "Properties": {**body, **properties}}}
        assert found(template(resources)) == [], kind


def test_a_policy_that_is_not_in_the_template_proves_nothing_missing(template: Make) -> None:
    code = function(HEAD + "def handle(e, c):\n  boto3.client('s3').get_object()")
    unknown = role(ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"])
    basic = role(ManagedPolicyArns=["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"])

    assert found(template({"Role": unknown, "Function": code})) == []
    assert found(template({"Role": basic, "Function": code})) == ["permission-missing[s3:GetObject]"]


EVERYWHERE = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}


@pytest.mark.parametrize(
    ("denial", "policy", "is_refused"),
    [
        pytest.param(EVERYWHERE, {}, True, id="everywhere"),
        pytest.param({**EVERYWHERE, "Action": ["s3:Get*"]}, {}, True, id="by a pattern"),
        pytest.param({"Effect": "Deny", "NotAction": "logs:*", "Resource": ["*"]}, {}, True, id="all but something"),
        pytest.param({"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}, {}, False, id="all but that"),
        pytest.param({**EVERYWHERE, "Action": "s3:PutObject"}, {}, False, id="another action"),
        pytest.param({**EVERYWHERE, "Resource": "arn:aws:s3:::b/*"}, {}, False, id="on some buckets"),
        pytest.param({**EVERYWHERE, "Condition": {"Bool": {"a": "false"}}}, {}, False, id="on a condition"),
        pytest.param(EVERYWHERE, {"Condition": "Some"}, False, id="where the template has a condition"),
    ],
)
def test_what_a_role_denies_everywhere_is_refused_whatever_allows_it(
    template: Make, denial: dict[str, Any], policy: dict[str, Any], *, is_refused: bool
) -> None:
    code = function(HEAD + "def handle(e, c):\n  boto3.client('s3').get_object()")
    document = {"Roles": [{"Ref": "Role"}], "PolicyDocument": {"Statement": [denial]}}
    denies = {"Type": "AWS::IAM::Policy", "Properties": document, **policy}
    unknown = ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]

    for managed in ([], unknown):
        resources = {"Role": role("s3:GetObject", ManagedPolicyArns=managed), "Function": code, "Denies": denies}
        assert found(template(resources)) == (["permission-missing[s3:GetObject]"] if is_refused else [])


def test_a_role_that_others_use_as_well_has_nothing_unused(template: Make) -> None:
    job = {"Type": "AWS::SageMaker::Model", "Properties": {"ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}}
    resources = {"Role": role("s3:GetObject"), "Function": function("def handle(e, c): pass"), "Model": job}

    assert found(template(resources)) == []


def test_a_transaction_may_write_change_and_delete_and_needs_no_more_than_it_does(template: Make) -> None:
    code = HEAD + "def handle(e, c):\n  boto3.client('dynamodb').transact_write_items(TransactItems=e)"
    actions = [f"dynamodb:{name}Item" for name in ("ConditionCheck", "Delete", "Get", "Put", "Update")]

    assert found(template({"Role": role(*actions), "Function": function(code)})) == [
        "permission-unused[dynamodb:GetItem]"
    ]
    assert found(template({"Role": role("dynamodb:PutItem"), "Function": function(code)})) == []


def test_to_come_as_a_role_is_not_to_hand_it_on(template: Make) -> None:
    code = HEAD + "def handle(e, c):\n  boto3.client('sts').assume_role(RoleArn=e, RoleSessionName='me')"

    assert found(template({"Role": role("sts:AssumeRole"), "Function": function(code)})) == []


def test_what_cannot_be_read_is_named(template: Make) -> None:
    permissions = Permissions()
    resources = {
        "Role": role(),
        "Js": function("", Runtime="nodejs22.x"),
        "Gone": function("", Code={"S3Key": "elsewhere.zip"}),
        "Lost": function("def other(): pass", Handler="main.handle"),
    }

    assert list(permissions.findings(template(resources))) == []
    assert permissions.unseen == [
        ("App/Stack/Js", "only Python code is read, this is nodejs22.x"),
        ("App/Stack/Gone", "its code is not among the assembly's assets"),
        ("App/Stack/Lost", "its code has no handler main.handle"),
    ]


def test_the_role_of_a_state_machine_is_held_against_its_states(template: Make) -> None:
    states = (
        {"Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync", "Parameters": {"RoleArn": "r"}},
        {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": {}},
        {"Resource": "arn:aws:states:::aws-sdk:s3:listObjectsV2", "Parameters": {}},
    )
    rules = found(template({"Role": role("s3:ListBucket", "s3:PutObject"), "Machine": machine(*states)}))

    assert rules == [
        "permission-missing[events:DescribeRule]",
        "permission-missing[events:PutRule]",
        "permission-missing[events:PutTargets]",
        "permission-missing[iam:PassRole]",
        "permission-missing[lambda:InvokeFunction]",
        "permission-missing[sagemaker:CreateTrainingJob]",
        "permission-missing[sagemaker:DescribeTrainingJob]",
        "permission-missing[sagemaker:StopTrainingJob]",
        "permission-unused[s3:PutObject]",
    ]


def test_a_pattern_in_a_policy_allows_what_it_covers(template: Make) -> None:
    code = function(HEAD + "def handle(e, c):\n  boto3.client('s3').get_object()")

    assert found(template({"Role": role("S3:get*"), "Function": code})) == []


def test_the_finding_says_who_calls_and_where(template: Make) -> None:
    made = template(
        {"Role": role(), "Function": function(HEAD + "def handle(e, c):\n  boto3.client('s3').get_object()")}
    )
    (finding,) = Permissions().findings(made)

    assert finding.logical_id == "Role"
    assert finding.message == "Function calls s3:GetObject (index.py:3), which its role does not allow"

"""Who may do more than before?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.assembly.diff.stacks import Template, found, resource, template

ROLE = resource(
    "AWS::IAM::Role",
    {
        "AssumeRolePolicyDocument": {
            "Statement": [
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
            ]
        }
    },
)
SOURCE = {"StringEquals": {"aws:SourceAccount": "111122223333"}}


def allow(action: Any = "s3:GetObject", where: Any = "arn:aws:s3:::b/*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": where, **more}


def deny(**more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Principal": "*", **more}


def held(*statements: dict[str, Any]) -> Template:
    """A role with a policy of these statements."""
    document = {"Statement": list(statements), "Version": "2012-10-17"}
    return template(Role=ROLE, X=resource("AWS::IAM::Policy", {"PolicyDocument": document, "Roles": [{"Ref": "Role"}]}))


def bucket(*statements: dict[str, Any]) -> Template:
    """A bucket with a policy of these statements."""
    policy = resource(
        "AWS::S3::BucketPolicy", {"Bucket": {"Ref": "B"}, "PolicyDocument": {"Statement": list(statements)}}
    )
    return template(B=resource("AWS::S3::Bucket"), **({"X": policy} if statements else {}))


PROD = {"Conditions": {"Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}}}


def in_prod(value: Any, otherwise: Any = None) -> dict[str, Any]:
    return {"Fn::If": ["Prod", value, otherwise or {"Ref": "AWS::NoValue"}]}


def by_stage(content: Template) -> Template:
    return {**content, **PROD}


def policy(document: Any, **more: Any) -> Template:
    """A policy of a role that is there, with this document."""
    return by_stage(
        template(
            Role=ROLE,
            X=resource("AWS::IAM::Policy", {"PolicyDocument": document, "Roles": [{"Ref": "Role"}]}, **more),
        )
    )


def beside(kind: str, **properties: Any) -> tuple[Template, Template]:
    """What the policies of these tests are about, alone and with one more resource beside it."""
    there = {
        "B": resource("AWS::S3::Bucket"),
        "Q": resource("AWS::SQS::Queue"),
        "U": resource("AWS::IAM::User"),
        "F": resource("AWS::Lambda::Function", {"Handler": "h"}),
    }
    return template(**there), template(**there, X=resource(kind, properties))


def told(before: Template, after: Template) -> list[tuple[str, str, str]]:
    return [(one.rule, one.severity.value, one.message.rpartition(": ")[2]) for one in found(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "severity", "how"),
    [
        pytest.param(
            held(allow()), held(allow(["s3:GetObject", "s3:PutObject"])), "warning", "a new action", id="an action"
        ),
        pytest.param(held(allow()), held(allow("s3:*")), "error", "a new action", id="every action of a service"),
        pytest.param(held(allow()), held(allow("*")), "error", "a new action", id="every action"),
        pytest.param(
            held(allow()), held(allow(where="arn:aws:s3:::b*")), "error", "a wider resource", id="a wider resource"
        ),
        pytest.param(held(allow()), held(allow(where="*")), "error", "a wider resource", id="every resource"),
        pytest.param(
            held(allow()),
            held(allow(), allow(where="arn:aws:s3:::c/*")),
            "warning",
            "a new resource",
            id="another resource",
        ),
        pytest.param(
            held(allow(Condition=SOURCE)),
            held(allow()),
            "error",
            "a condition is dropped or loosened",
            id="a condition dropped",
        ),
        pytest.param(
            held(allow(Condition=SOURCE)),
            held(allow(Condition={"StringEquals": {"aws:SourceAccount": ["111122223333", "444455556666"]}})),
            "error",
            "a condition is dropped or loosened",
            id="a condition loosened",
        ),
        pytest.param(
            held(allow(Condition=SOURCE)),
            held(allow(Condition={"StringEquals": {"aws:SourceAccount": "444455556666"}})),
            "warning",
            "under another condition",
            id="another condition",
        ),
        pytest.param(
            held(allow(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}})),
            held(allow(Condition={"StringLike": {"aws:PrincipalOrgID": "o-*"}})),
            "error",
            "a condition is dropped or loosened",
            id="a condition with a wildcard",
        ),
        pytest.param(
            bucket(allow(Principal={"AWS": "a"})),
            bucket(allow(Principal={"AWS": ["a", "b"]})),
            "warning",
            "a new principal",
            id="a principal",
        ),
        pytest.param(
            bucket(allow(Principal={"AWS": "a"})),
            bucket(allow(Principal="*")),
            "error",
            "a new principal",
            id="everybody",
        ),
        pytest.param(
            bucket(deny()), bucket(deny(Action="s3:PutObject")), "error", "a denial is dropped", id="a denial narrowed"
        ),
        pytest.param(bucket(deny()), bucket(), "error", "a denial is dropped", id="a denial gone with its policy"),
        pytest.param(
            by_stage(held(allow(), in_prod(allow("s3:PutObject")))),
            by_stage(held(allow("*", "*"), in_prod(allow("s3:PutObject")))),
            "error",
            "a new permission",
            id="everything, beside a statement of one stage",
        ),
        pytest.param(
            by_stage(held(allow(), in_prod(allow("s3:PutObject")))),
            by_stage(held(allow(), in_prod(allow("s3:PutObject", "*")))),
            "error",
            "a wider resource",
            id="a statement of one stage",
        ),
        pytest.param(
            policy(in_prod({"Statement": [allow()]}, {"Statement": [allow("s3:PutObject")]})),
            policy(in_prod({"Statement": [allow("*")]}, {"Statement": [allow("s3:PutObject")]})),
            "error",
            "a new action",
            id="a document of one stage",
        ),
        pytest.param(
            by_stage(held(in_prod(allow()))),
            by_stage(held(allow())),
            "error",
            "a condition is dropped or loosened",
            id="a statement of one stage in every stage",
        ),
        pytest.param(
            policy({"Statement": [allow()]}, Condition="Prod"),
            policy({"Statement": [allow()]}),
            "error",
            "a condition is dropped or loosened",
            id="a policy of one stage in every stage",
        ),
        pytest.param(
            by_stage(held(allow())),
            by_stage(held(allow(in_prod("s3:*", "s3:GetObject")))),
            "error",
            "a new action",
            id="an action of one stage",
        ),
        pytest.param(
            by_stage(bucket(allow(Principal={"AWS": "a"}))),
            by_stage(bucket(allow(Principal=in_prod("*", {"AWS": "a"})))),
            "error",
            "a new principal",
            id="everybody in one stage",
        ),
        pytest.param(
            by_stage(held(allow(Condition=SOURCE))),
            by_stage(held(allow(Condition=in_prod(SOURCE)))),
            "error",
            "a condition is dropped or loosened",
            id="a condition left to one stage",
        ),
        pytest.param(
            held(allow([{"Fn::If": [f"C{number}", f"s3:Get{number}", "s3:List"]} for number in range(8)])),
            held(allow([{"Fn::If": [f"C{number}", f"s3:Get{number}", "s3:List"]} for number in range(7)] + ["*"])),
            "error",
            "a new action",
            id="every action among many conditions",
        ),
        pytest.param(
            bucket(),
            bucket(allow(Principal={"AWS": "999999999999"})),
            "warning",
            "a new permission",
            id="the first policy of a bucket that is there",
        ),
        pytest.param(
            bucket(),
            bucket(allow(Principal="*", Condition={"Bool": {"aws:SecureTransport": "true"}})),
            "error",
            "a new permission",
            id="everybody, as long as it is encrypted",
        ),
        pytest.param(
            template(X=resource("AWS::ECR::Repository")),
            template(
                X=resource(
                    "AWS::ECR::Repository",
                    {"RepositoryPolicyText": {"Statement": [allow(Principal={"AWS": "999999999999"})]}},
                )
            ),
            "warning",
            "a new permission",
            id="the first policy in a resource that is there",
        ),
        pytest.param(
            *beside("AWS::Lambda::Permission", FunctionName={"Ref": "F"}, Action="lambda:*", Principal="999999999999"),
            "error",
            "a new permission",
            id="the first call from another account",
        ),
        pytest.param(
            template(F=resource("AWS::Lambda::Function")),
            template(
                F=resource("AWS::Lambda::Function"),
                A=resource("AWS::Lambda::Alias", {"FunctionName": {"Ref": "F"}, "Name": "a"}),
                X=resource(
                    "AWS::Lambda::Permission", {"FunctionName": {"Ref": "A"}, "Principal": "999", "Action": "lambda:I"}
                ),
            ),
            "warning",
            "a new permission",
            id="a call by a new name of a function",
        ),
        pytest.param(
            *beside(
                "AWS::S3::AccessPoint",
                Bucket={"Ref": "B"},
                Policy={"Statement": [allow(Principal={"AWS": "999999999999"})]},
            ),
            "warning",
            "a new permission",
            id="a new way into a bucket",
        ),
        pytest.param(
            template(
                X=resource("AWS::ApiGateway::RestApi", {"Policy": {"Statement": [allow(Principal={"AWS": "a"})]}})
            ),
            template(X=resource("AWS::ApiGateway::RestApi")),
            "error",
            "a new permission",
            id="an API without its policy",
        ),
        pytest.param(
            *beside("AWS::IAM::Policy", Roles=["named"], PolicyDocument={"Statement": [allow("iam:PassRole", "*")]}),
            "warning",
            "a new permission",
            id="a policy of a role that another stack made",
        ),
        pytest.param(
            *beside(
                "AWS::SQS::QueuePolicy",
                Queues=[{"Ref": "Q"}],
                PolicyDocument={"Statement": [allow("sqs:*", Principal={"AWS": "999999999999"})]},
            ),
            "error",
            "a new permission",
            id="a policy of a queue",
        ),
        pytest.param(
            *beside("AWS::IAM::UserToGroupAddition", GroupName="Administrators", Users=[{"Ref": "U"}]),
            "warning",
            "a new permission",
            id="a user added to a group",
        ),
        pytest.param(
            *beside("AWS::Events::EventBusPolicy", StatementId="s", Action="events:PutEvents", Principal="*"),
            "error",
            "a new permission",
            id="everybody may send events",
        ),
        pytest.param(
            *beside(
                "AWS::Events::EventBusPolicy",
                StatementId="s",
                Statement={"Effect": "Allow", "Principal": "*", "Action": "events:*", "Resource": "a"},
            ),
            "error",
            "a new permission",
            id="everybody may send events, by a statement",
        ),
        pytest.param(
            *beside("AWS::Lambda::LayerVersionPermission", LayerVersionArn="l", Action="lambda:Get", Principal="*"),
            "error",
            "a new permission",
            id="everybody may read a layer",
        ),
        pytest.param(
            template(X=resource("AWS::SSO::PermissionSet", {"Name": "n"})),
            template(
                X=resource("AWS::SSO::PermissionSet", {"Name": "n", "ManagedPolicies": ["arn:p/AdministratorAccess"]})
            ),
            "error",
            "a new permission",
            id="a permission set of administrators",
        ),
        pytest.param(
            template(X=resource("AWS::IAM::User")),
            template(X=resource("AWS::IAM::User", {"Groups": ["Administrators"]})),
            "warning",
            "a new permission",
            id="a user in a group",
        ),
        pytest.param(
            template(X=resource("AWS::EC2::VPCEndpoint", {"PolicyDocument": {"Statement": [allow(Principal="*")]}})),
            template(X=resource("AWS::EC2::VPCEndpoint")),
            "error",
            "a new permission",
            id="a VPC endpoint without its policy",
        ),
    ],
)
def test_what_grew_is_named_with_the_way_in_which_it_did(
    before: Template, after: Template, severity: str, how: str
) -> None:
    assert told(before, after) == [("permission-widened", severity, how)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(held(allow("s3:*")), held(allow("s3:GetObject")), id="fewer actions"),
        pytest.param(held(allow(where="*")), held(allow()), id="fewer resources"),
        pytest.param(held(allow()), held(allow(Condition=SOURCE)), id="a condition more"),
        pytest.param(
            held(allow("s3:Get*")), held(allow("s3:Get*"), allow("s3:GetObject")), id="what a wildcard covers"
        ),
        pytest.param(bucket(), bucket(deny()), id="a denial"),
        pytest.param(
            held(allow(NotAction="iam:*", Action=[])),
            held(allow(NotAction=["iam:*", "sts:*"], Action=[])),
            id="all but more",
        ),
        pytest.param(by_stage(held(allow())), by_stage(held(in_prod(allow()))), id="a statement left to one stage"),
        pytest.param(
            by_stage(held(allow(), in_prod(allow("*")))), by_stage(held(allow())), id="a statement of one stage gone"
        ),
        pytest.param(
            by_stage(held(in_prod(allow()), in_prod({"Ref": "AWS::NoValue"}, allow()))),
            by_stage(held(allow())),
            id="both stages together",
        ),
        pytest.param(
            held(allow(Condition={"StringLike": {"s3:prefix": ["x*", "z"]}})),
            held(allow(Condition={"StringLike": {"s3:prefix": "xy*"}})),
            id="a longer prefix",
        ),
        pytest.param(
            template(X=resource("AWS::EC2::VPCEndpoint")),
            template(X=resource("AWS::EC2::VPCEndpoint", {"PolicyDocument": {"Statement": [allow(Principal="*")]}})),
            id="the first policy of a VPC endpoint",
        ),
        pytest.param(template(), template(X=resource("AWS::EC2::VPCEndpoint")), id="a new VPC endpoint"),
        pytest.param(
            template(X=resource("AWS::ApiGateway::RestApi")),
            template(X=resource("AWS::ApiGateway::RestApi", {"Policy": {"Statement": [allow(Principal="*")]}})),
            id="the first policy of an API",
        ),
        pytest.param(
            template(
                X=resource(
                    "AWS::ApiGateway::RestApi",
                    {
                        "Policy": {"Statement": [allow(Principal="*")]},
                        "EndpointConfiguration": {"Types": ["PRIVATE"]},
                    },
                )
            ),
            template(X=resource("AWS::ApiGateway::RestApi", {"EndpointConfiguration": {"Types": ["PRIVATE"]}})),
            id="a private API without its policy",
        ),
        pytest.param(
            template(),
            template(
                F=resource("AWS::Lambda::Function"),
                X=resource("AWS::Lambda::Permission", {"FunctionName": {"Ref": "F"}, "Principal": "s3.amazonaws.com"}),
            ),
            id="a call of a new function",
        ),
    ],
)
def test_what_shrinks_is_no_danger(before: Template, after: Template) -> None:
    assert [one for one in told(before, after) if one[0] == "permission-widened"] == []


def test_statements_may_move_between_the_policies_of_one_role() -> None:
    statements = [allow(), allow("s3:PutObject")]
    inline = {"PolicyName": "p", "PolicyDocument": {"Statement": statements}}
    role = {**ROLE, "Properties": {**ROLE["Properties"], "Policies": [inline]}}
    managed = resource(
        "AWS::IAM::ManagedPolicy", {"PolicyDocument": {"Statement": statements}, "Roles": [{"Ref": "Role"}]}
    )
    attached = {**ROLE, "Properties": {**ROLE["Properties"], "ManagedPolicyArns": [{"Ref": "M"}]}}
    apart = resource("AWS::IAM::ManagedPolicy", {"PolicyDocument": {"Statement": statements}})

    for after in (template(Role=role), template(Role=ROLE, M=managed), template(Role=attached, M=apart)):
        assert [one for one in told(held(*statements), after) if one[0] == "permission-widened"] == []


def test_a_new_role_is_information_unless_it_may_do_everything() -> None:
    empty = template()

    assert {one[:2] for one in told(empty, held(allow()))} == {("permission-new", "info")}
    assert ("permission-widened", "error") in {one[:2] for one in told(empty, held(allow("*")))}


def test_a_new_policy_of_a_known_role_widens_it() -> None:
    assert told(template(Role=ROLE), held(allow())) == [("permission-widened", "warning", "a new permission")]


def test_managed_policies_and_boundaries_count() -> None:
    def role(**properties: Any) -> Template:
        return template(Role={**ROLE, "Properties": {**ROLE["Properties"], **properties}})

    full = role(ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonS3FullAccess"])
    assert [one[:2] for one in told(role(), full)] == [("permission-widened", "error")]
    assert [one[:2] for one in told(role(PermissionsBoundary="b"), role())] == [("permission-widened", "error")]


def test_a_lambda_permission_for_another_service_is_a_new_principal() -> None:
    def call(name: str, principal: str) -> dict[str, Any]:
        return {
            name: resource(
                "AWS::Lambda::Permission",
                {"Action": "lambda:InvokeFunction", "FunctionName": "f", "Principal": principal},
            )
        }

    before, after = (
        template(**call("A", "s3.amazonaws.com")),
        template(**call("A", "s3.amazonaws.com"), **call("B", "*")),
    )

    assert told(before, after) == [("permission-widened", "error", "a new principal")]


def test_the_message_names_the_actions_as_their_author_wrote_them() -> None:
    (one,) = found(held(allow()), held(allow(), allow("s3:PutObject", "*")))

    assert one.message == "allows s3:PutObject on * to Role: a new permission"

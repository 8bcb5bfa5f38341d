"""Who may do what?"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlplatform_cdk.core.scaling import scaling as scaling_of
from mlplatform_cdk.local.adapters.auto_scaling import tags
from mlplatform_cdk.local.adapters.iam.conditions import RESOURCE_TAG
from mlplatform_cdk.local.adapters.iam.statements import Need, find, statements_of
from mlplatform_cdk.runtimekit.scalable_targets import OWNER_TAG
from tests.local.exec.account import Account, allow, document

TLS_ONLY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


@pytest.fixture(scope="module")
def bucket(account: Account) -> str:
    """A bucket with two objects, which takes TLS only."""
    name = f"bucket-{time.time_ns()}"
    s3 = account.client("s3")
    s3.create_bucket(Bucket=name)
    for key in ("raw/a.csv", "secret/b.csv"):
        s3.put_object(Bucket=name, Key=key, Body=b"x")
    s3.put_bucket_policy(Bucket=name, Policy=document(TLS_ONLY))
    return name


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    """The code and the message of the refusal."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def client_of(account: Account, service: str, *statements: dict[str, Any]) -> Any:
    """A client of a new role with these statements."""
    return account.as_role(account.role("lambda.amazonaws.com", *statements), service)


def test_the_administrator_may_do_anything(account: Account, bucket: str) -> None:
    assert account.client("s3").get_object(Bucket=bucket, Key="secret/b.csv")["Body"].read() == b"x"


def test_a_role_reads_what_its_policy_names_and_nothing_beside_it(account: Account, bucket: str) -> None:
    s3 = client_of(account, "s3", allow("s3:GetObject", f"arn:aws:s3:::{bucket}/raw/*"))

    assert s3.get_object(Bucket=bucket, Key="raw/a.csv")["Body"].read() == b"x"
    code, message = refusal(lambda: s3.get_object(Bucket=bucket, Key="secret/b.csv"))
    assert code == "AccessDenied"
    assert f"s3:GetObject on resource: arn:aws:s3:::{bucket}/secret/b.csv because no identity-based policy" in message


def test_listing_follows_the_prefix_condition(account: Account, bucket: str) -> None:
    statement = allow("s3:ListBucket", f"arn:aws:s3:::{bucket}", Condition={"StringLike": {"s3:prefix": "raw/*"}})
    s3 = client_of(account, "s3", statement)

    assert s3.list_objects_v2(Bucket=bucket, Prefix="raw/")["KeyCount"] == 1
    assert refusal(lambda: s3.list_objects_v2(Bucket=bucket, Prefix="secret/"))[0] == "AccessDenied"
    assert refusal(lambda: s3.list_objects_v2(Bucket=bucket))[0] == "AccessDenied"


def test_heads_and_deletes_of_objects_are_checked(account: Account, bucket: str) -> None:
    s3 = client_of(account, "s3", allow("s3:DeleteObject", f"arn:aws:s3:::{bucket}/tmp/*"))

    assert refusal(lambda: s3.head_object(Bucket=bucket, Key="raw/a.csv"))[0] == "403"
    delete = {"Objects": [{"Key": "tmp/a"}, {"Key": "raw/a.csv"}]}
    assert "s3:DeleteObject" in refusal(lambda: s3.delete_objects(Bucket=bucket, Delete=delete))[1]
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "tmp/a"}]})


def test_a_copy_needs_its_source(account: Account, bucket: str) -> None:
    s3 = client_of(account, "s3", allow("s3:PutObject", f"arn:aws:s3:::{bucket}/copies/*"))

    source = {"Bucket": bucket, "Key": "raw/a.csv"}
    _, message = refusal(lambda: s3.copy_object(Bucket=bucket, Key="copies/a", CopySource=source))
    assert "s3:GetObject" in message


def test_an_explicit_deny_wins(account: Account, bucket: str) -> None:
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/secret/*"}
    s3 = client_of(account, "s3", allow("s3:*"), deny)

    s3.get_object(Bucket=bucket, Key="raw/a.csv")
    _, message = refusal(lambda: s3.get_object(Bucket=bucket, Key="secret/b.csv"))
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_a_bucket_policy_can_grant_and_deny_a_role(account: Account) -> None:
    name = f"bucket-{time.time_ns()}"
    admin = account.client("s3")
    admin.create_bucket(Bucket=name)
    admin.put_object(Bucket=name, Key="a", Body=b"x")
    role = account.role("lambda.amazonaws.com")
    other = account.role("lambda.amazonaws.com", allow("s3:*"))
    grant = allow("s3:GetObject", f"arn:aws:s3:::{name}/*", Principal={"AWS": role})
    deny = {"Effect": "Deny", "Principal": {"AWS": other}, "Action": "s3:*", "Resource": f"arn:aws:s3:::{name}/*"}
    admin.put_bucket_policy(Bucket=name, Policy=document(grant, deny, TLS_ONLY))

    account.as_role(role, "s3").get_object(Bucket=name, Key="a")
    _, message = refusal(lambda: account.as_role(other, "s3").get_object(Bucket=name, Key="a"))
    assert message.endswith("with an explicit deny in a resource-based policy")


def test_data_under_a_customer_s_key_needs_the_key(account: Account) -> None:
    name = f"bucket-{time.time_ns()}"
    admin = account.client("s3")
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    admin.create_bucket(Bucket=name)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    admin.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    admin.put_object(Bucket=name, Key="a", Body=b"x")

    without = client_of(account, "s3", allow("s3:*"))
    assert f"kms:Decrypt on resource: {key}" in refusal(lambda: without.get_object(Bucket=name, Key="a"))[1]
    assert "kms:GenerateDataKey" in refusal(lambda: without.put_object(Bucket=name, Key="b", Body=b"x"))[1]
    using = client_of(account, "s3", allow("s3:*"), allow(["kms:Decrypt", "kms:GenerateDataKey*"], key))
    using.put_object(Bucket=name, Key="b", Body=b"x")
    assert using.get_object(Bucket=name, Key="b")["Body"].read() == b"x"


def test_a_role_is_passed_only_to_the_service_that_the_condition_names(account: Account) -> None:
    job_role = account.role("sagemaker.amazonaws.com")
    model = {"ExecutionRoleArn": job_role, "PrimaryContainer": {"Image": "i"}}

    def make(*statements: dict[str, Any]) -> Callable[[], Any]:
        sagemaker = client_of(account, "sagemaker", allow("sagemaker:CreateModel"), *statements)
        return lambda: sagemaker.create_model(ModelName=f"model-{time.time_ns()}", **model)

    code, message = refusal(make())
    assert code == "AccessDeniedException"
    assert f"iam:PassRole on resource: {job_role}" in message
    to_lambda = allow(
        "iam:PassRole", job_role, Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    )
    assert "iam:PassRole" in refusal(make(to_lambda))[1]
    make(
        allow("iam:PassRole", job_role, Condition={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}})
    )()


def test_a_transaction_needs_what_each_of_its_actions_needs_alone(account: Account) -> None:
    table = f"table-{time.time_ns()}"
    account.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    arn = f"arn:aws:dynamodb:{account.settings.region}:{account.settings.account}:table/{table}"
    put = {"Put": {"TableName": table, "Item": {"pk": {"S": "a"}}}}
    count = {
        "Update": {
            "TableName": table,
            "Key": {"pk": {"S": "b"}},
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
    half = client_of(account, "dynamodb", allow("dynamodb:PutItem", arn))
    whole = client_of(account, "dynamodb", allow(["dynamodb:PutItem", "dynamodb:UpdateItem"], arn))

    half.transact_write_items(TransactItems=[put])
    assert "dynamodb:UpdateItem" in refusal(lambda: half.transact_write_items(TransactItems=[put, count]))[1]
    whole.transact_write_items(TransactItems=[put, count])


def test_who_may_change_rows_of_one_partition_key_changes_no_others(account: Account) -> None:
    dynamodb, table = account.client("dynamodb"), f"locks-{time.time_ns()}"
    kinds = {"endpoint": "HASH", "at": "RANGE"}
    dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in kinds],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in kinds.items()],
    )
    arn = f"arn:aws:dynamodb:*:*:table/{table}"
    of_one = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["lock#churn"]}}
    role = client_of(account, "dynamodb", allow(["dynamodb:DeleteItem", "dynamodb:Query"], arn, Condition=of_one))

    role.delete_item(TableName=table, Key={"endpoint": {"S": "lock#churn"}, "at": {"S": "wait"}})
    others = {"endpoint": {"S": "churn"}, "at": {"S": "2026"}}
    assert "dynamodb:DeleteItem" in refusal(lambda: role.delete_item(TableName=table, Key=others))[1]

    asked = {"TableName": table, "KeyConditionExpression": "#e = :e", "ExpressionAttributeNames": {"#e": "endpoint"}}
    role.query(**asked, ExpressionAttributeValues={":e": {"S": "lock#churn"}})
    code, _ = refusal(lambda: role.query(**asked, ExpressionAttributeValues={":e": {"S": "churn"}}))
    assert code == "AccessDeniedException"


def test_tags_at_creation_need_the_right_to_tag(account: Account) -> None:
    sagemaker = client_of(account, "sagemaker", allow("sagemaker:CreateModelPackageGroup"))

    _, message = refusal(
        lambda: sagemaker.create_model_package_group(
            ModelPackageGroupName=f"group-{time.time_ns()}", Tags=[{"Key": "a", "Value": "b"}]
        )
    )

    assert "sagemaker:AddTags" in message


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "resource", "code"),
    [
        (
            "sagemaker",
            "describe_endpoint",
            {"EndpointName": "Churn"},
            "sagemaker:{}:endpoint/churn",
            "AccessDeniedException",
        ),
        (
            "sagemaker-runtime",
            "invoke_endpoint",
            {"EndpointName": "churn", "Body": b"1"},
            "sagemaker:{}:endpoint/churn",
            "AccessDeniedException",
        ),
        (
            "sqs",
            "send_message",
            {"QueueUrl": "http://localhost/123456789012/q", "MessageBody": "m"},
            "sqs:{}:q",
            "AccessDeniedException",
        ),
        (
            "sns",
            "publish",
            {"TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": "m"},
            "sns:{}:t",
            "AuthorizationError",
        ),
        ("ssm", "get_parameter", {"Name": "/a/b"}, "ssm:{}:parameter/a/b", "AccessDeniedException"),
        (
            "stepfunctions",
            "start_execution",
            {"stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:m"},
            "states:{}:stateMachine:m",
            "AccessDeniedException",
        ),
        ("lambda", "invoke", {"FunctionName": "f"}, "lambda:{}:function:f", "AccessDeniedException"),
        (
            "logs",
            "create_log_stream",
            {"logGroupName": "g", "logStreamName": "s"},
            "logs:{}:log-group:g:log-stream:s",
            "AccessDeniedException",
        ),
        (
            "events",
            "put_events",
            {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]},
            "events:{}:event-bus/default",
            "AccessDeniedException",
        ),
        (
            "dynamodb",
            "get_item",
            {"TableName": "t", "Key": {"k": {"S": "1"}}},
            "dynamodb:{}:table/t",
            "AccessDeniedException",
        ),
        ("kms", "decrypt", {"KeyId": "k", "CiphertextBlob": b"x"}, "kms:{}:key/k", "AccessDeniedException"),
        ("ecr", "describe_images", {"repositoryName": "repo"}, "ecr:{}:repository/repo", "AccessDeniedException"),
    ],
)
def test_a_refusal_names_the_resource(
    account: Account, service: str, operation: str, parameters: dict[str, Any], resource: str, code: str
) -> None:
    client = client_of(account, service)

    got, message = refusal(lambda: getattr(client, operation)(**parameters))

    where = f"{account.settings.region}:{account.settings.account}"
    assert got == code
    assert f"on resource: arn:aws:{resource.format(where)} because no" in message


def test_metrics_are_put_into_the_namespace_that_the_condition_names(account: Account) -> None:
    statement = allow("cloudwatch:PutMetricData", Condition={"StringEquals": {"cloudwatch:namespace": "ours"}})
    cloudwatch = client_of(account, "cloudwatch", statement)
    data = [{"MetricName": "m", "Value": 1.0}]

    cloudwatch.put_metric_data(Namespace="ours", MetricData=data)
    assert (
        "cloudwatch:PutMetricData"
        in refusal(lambda: cloudwatch.put_metric_data(Namespace="theirs", MetricData=data))[1]
    )


def test_managed_policies_of_a_template_count(account: Account) -> None:
    iam, stack = account.client("iam"), f"stack-{time.time_ns()}"
    trust = json.loads(
        document({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})
    )
    ours = json.loads(document(allow("ssm:GetParameter", "arn:aws:ssm:*:*:parameter/ours/*")))
    template = {
        "Resources": {
            "Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": ours}},
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": trust,
                    "ManagedPolicyArns": [{"Ref": "Policy"}, "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"],
                },
            },
        },
        "Outputs": {"Role": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
    }
    account.client("cloudformation").create_stack(StackName=stack, TemplateBody=json.dumps(template))
    role = account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["Outputs"][0]["OutputValue"]

    assert len(iam.list_attached_role_policies(RoleName=role.rsplit("/", 1)[-1])["AttachedPolicies"]) == 2
    assert refusal(lambda: account.as_role(role, "ssm").get_parameter(Name="/ours/x"))[0] == "ParameterNotFound"
    assert refusal(lambda: account.as_role(role, "ssm").get_parameter(Name="/theirs/x"))[0] == "AccessDeniedException"
    account.as_role(role, "sqs").list_queues()


def test_a_permissions_boundary_limits_a_role(account: Account) -> None:
    iam = account.client("iam")
    policy = iam.create_policy(PolicyName=f"boundary-{time.time_ns()}", PolicyDocument=document(allow("sqs:*")))
    role = account.role("lambda.amazonaws.com", allow(["ssm:*", "sqs:*"]))
    iam.put_role_permissions_boundary(RoleName=role.rsplit("/", 1)[-1], PermissionsBoundary=policy["Policy"]["Arn"])

    account.as_role(role, "sqs").list_queues()
    assert "permissions boundary" in refusal(lambda: account.as_role(role, "ssm").get_parameter(Name="/a"))[1]


def test_a_condition_that_cannot_be_computed_allows_nothing_and_is_named(account: Account) -> None:
    statement = allow("sqs:ListQueues", Sid="FromTheEndpoint", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})

    assert "sqs:ListQueues" in refusal(lambda: client_of(account, "sqs", statement).list_queues())[1]

    with urllib.request.urlopen(f"{account.settings.endpoint_url}/_embedded/iam/unevaluated") as answer:
        named = [note for note in json.load(answer) if note["statement"] == "FromTheEndpoint"]
    assert named[0]["keys"] == ["aws:SourceVpce"]
    assert named[0]["effect"] == "Allow"


OF = "aws:ResourceTag/owner"
SCALES = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}


def test_a_scalable_target_is_kept_to_by_its_tags_which_come_with_it_or_later(account: Account) -> None:
    endpoint = f"e{time.time_ns()}"
    mine, theirs = (SCALES | {"ResourceId": f"endpoint/{endpoint}/variant/{name}"} for name in "ab")
    scaling = client_of(
        account,
        "application-autoscaling",
        allow("application-autoscaling:RegisterScalableTarget"),
        allow(
            "application-autoscaling:TagResource",
            Condition={"StringEquals": {"aws:RequestTag/owner": "me"}, "StringEqualsIfExists": {OF: "me"}},
        ),
        allow("application-autoscaling:DeregisterScalableTarget", Condition={"StringEquals": {OF: "me"}}),
        allow("sagemaker:*Endpoint*", f"arn:aws:sagemaker:*:endpoint/{endpoint}"),
        allow("cloudwatch:*Alarm*", f"arn:aws:cloudwatch:*:alarm:TargetTracking-endpoint/{endpoint}/*"),
    )
    admin, bounds = account.client("application-autoscaling"), {"MinCapacity": 1, "MaxCapacity": 2}

    code, _ = refusal(lambda: scaling.register_scalable_target(**mine, **bounds, Tags={"owner": "you"}))
    assert code == "AccessDeniedException"
    scaling.register_scalable_target(**mine, **bounds, Tags={"owner": "me"})
    again = refusal(lambda: scaling.register_scalable_target(**mine, **bounds, Tags={"owner": "me"}))
    assert again == ("ValidationException", tags.EXISTS)
    scaling.deregister_scalable_target(**mine)

    other = SCALES | {"ResourceId": "endpoint/other/variant/a"}
    assert "sagemaker:DescribeEndpoint on" in refusal(lambda: scaling.register_scalable_target(**other, **bounds))[1]

    arn = admin.register_scalable_target(**theirs, **bounds)["ScalableTargetARN"]
    assert refusal(lambda: scaling.deregister_scalable_target(**theirs))[0] == "AccessDeniedException"
    admin.tag_resource(ResourceARN=arn, Tags={"owner": "you", "team": "b"})
    assert refusal(lambda: scaling.tag_resource(ResourceARN=arn, Tags={"owner": "me"}))[0] == "AccessDeniedException"
    assert f"on resource: {arn}" in refusal(lambda: scaling.deregister_scalable_target(**theirs))[1]
    admin.untag_resource(ResourceARN=arn, TagKeys=["owner"])
    scaling.tag_resource(ResourceARN=arn, Tags={"owner": "me"})
    assert admin.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "b", "owner": "me"}
    scaling.deregister_scalable_target(**theirs)
    assert refusal(lambda: admin.list_tags_for_resource(ResourceARN=arn))[0] == "ResourceNotFoundException"


@pytest.mark.parametrize("told", [{}, {f"aws:resourcetag/{OWNER_TAG}": ["churn"]}], ids=["not told", "told"])
def test_a_variant_is_registered_whether_or_not_aws_tells_the_tags_of_a_target_that_is_being_made(
    told: dict[str, list[str]],
) -> None:
    statements = statements_of("the release's", {"Statement": scaling_of("targets/*", owner="churn")})
    known = {
        RESOURCE_TAG: [],
        f"aws:requesttag/{OWNER_TAG}": ["churn"],
        "aws:tagkeys": [OWNER_TAG],
        "application-autoscaling:service-namespace": [SCALES["ServiceNamespace"]],
        "application-autoscaling:scalable-dimension": [SCALES["ScalableDimension"]],
    }
    for name, allowed in (
        ("RegisterScalableTarget", True),
        ("TagResource", True),
        ("DeregisterScalableTarget", bool(told)),
    ):
        need = Need(action=f"application-autoscaling:{name}", resources=("targets/1",), context={**known, **told})
        assert find(statements, need, {}).allowed is allowed, name


def test_nobody_is_a_role_that_does_not_exist_or_no_more(account: Account) -> None:
    role = account.role("lambda.amazonaws.com", allow("sqs:ListQueues"))
    queues = account.as_role(role, "sqs")
    queues.list_queues()
    account.client("iam").delete_role_policy(RoleName=role.rpartition("/")[2], PolicyName="inline")
    account.client("iam").delete_role(RoleName=role.rpartition("/")[2])

    assert refusal(lambda: account.as_role(role, "sqs"))[0] == "AccessDenied"
    code, message = refusal(queues.list_queues)
    assert "AccessDenied" in code
    assert message.endswith(f"the role {role} does not exist")


def test_who_one_is_may_always_be_asked(account: Account) -> None:
    assert ":assumed-role/" in client_of(account, "sts").get_caller_identity()["Arn"]


def test_the_body_of_an_allowed_upload_arrives_whole(account: Account, bucket: str) -> None:
    s3 = client_of(account, "s3", allow("s3:*"))
    body = bytes(range(256)) * 40_000

    s3.put_object(Bucket=bucket, Key="big", Body=body)

    assert s3.get_object(Bucket=bucket, Key="big")["Body"].read() == body

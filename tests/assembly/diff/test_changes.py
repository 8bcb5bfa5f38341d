"""What happens to a resource: added, removed, changed, replaced, moved."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlplatform_cdk.assembly.diff import Action
from tests.assembly.diff.stacks import Template, changed, difference, resource, template

CONFIG = template(
    X=resource(
        "AWS::SageMaker::EndpointConfig", {"ProductionVariants": [{"VariantName": "a", "InitialInstanceCount": 1}]}
    ),
    Endpoint=resource("AWS::SageMaker::Endpoint", {"EndpointConfigName": {"Fn::GetAtt": ["X", "EndpointConfigName"]}}),
)
TABLE = template(
    X=resource("AWS::DynamoDB::Table", {"TableName": "t", "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}]})
)


def actions(before: Template, after: Template) -> dict[str, str]:
    return {change.resource.logical_id: change.action.value for change in difference(before, after).changes}


@pytest.mark.parametrize(
    ("before", "path", "value", "action"),
    [
        pytest.param(
            template(X=resource("AWS::SNS::Topic", {"DisplayName": "a"})),
            "Properties.DisplayName",
            "b",
            "changed",
            id="in place",
        ),
        pytest.param(TABLE, "Properties.TableName", "u", "replaced", id="a create-only property"),
        pytest.param(TABLE, "Properties.TableName", None, "replaced", id="a create-only property taken away"),
        pytest.param(
            template(X=resource("AWS::RDS::DBInstance", {"Engine": "mysql"})),
            "Properties.Engine",
            "mariadb",
            "may-be-replaced",
            id="one that replaces on a condition",
        ),
        pytest.param(
            CONFIG,
            "Properties.ProductionVariants.0.InitialInstanceCount",
            2,
            "replaced",
            id="deep in a create-only property",
        ),
        pytest.param(TABLE, "DeletionPolicy", "Retain", "changed", id="an attribute"),
        pytest.param(
            template(X=resource("Custom::Thing", {"A": "a"})), "Properties.A", "b", "changed", id="a custom resource"
        ),
        pytest.param(TABLE, "Type", "AWS::DynamoDB::GlobalTable", "replaced", id="another type"),
    ],
)
def test_the_registry_decides_what_a_change_does(before: Template, path: str, value: Any, action: str) -> None:
    assert actions(before, changed(before, path, value))["X"] == action


def test_a_nested_create_only_property_replaces_when_the_whole_object_comes_or_goes() -> None:
    domain = template(X=resource("AWS::Cognito::UserPool", {"Schema": []}))
    batch = template(X=resource("AWS::Batch::JobQueue", {"Priority": 1}))

    assert actions(domain, changed(domain, "Properties.UserPoolName", "b")) == {"X": "changed"}
    assert actions(batch, changed(batch, "Properties.JobQueueName", "b")) == {"X": "replaced"}


def test_a_resource_that_names_a_replaced_one_where_it_cannot_change_is_replaced_too() -> None:
    before = template(
        X=resource("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"}),
        Subnet=resource("AWS::EC2::Subnet", {"VpcId": {"Ref": "X"}, "CidrBlock": "10.0.0.0/24"}),
        Association=resource(
            "AWS::EC2::SubnetRouteTableAssociation", {"SubnetId": {"Ref": "Subnet"}, "RouteTableId": "r"}
        ),
        Parameter=resource("AWS::SSM::Parameter", {"Value": {"Ref": "X"}, "Type": "String"}),
    )

    found = difference(before, changed(before, "Properties.CidrBlock", "10.1.0.0/16"))

    assert {change.resource.logical_id: change.action for change in found.changes} == {
        "X": Action.REPLACED,
        "Subnet": Action.REPLACED,
        "Association": Action.REPLACED,
    }
    assert {change.because for change in found.changes} == {
        "",
        "it names X, which is made anew",
        "it names Subnet, which is made anew",
    }


def test_the_smallest_value_that_differs_is_named() -> None:
    before = template(
        X=resource("AWS::Lambda::Function", {"Environment": {"Variables": {"A": "1", "B": "2"}}, "MemorySize": 128})
    )

    (change,) = difference(before, changed(before, "Properties.Environment.Variables.B", "3")).changes

    (one,) = change.properties
    assert (one.name, one.before, one.after) == ("Properties.Environment.Variables.B", "2", "3")


def test_a_list_member_in_front_leaves_the_others_as_they_are() -> None:
    def layers(*names: str) -> Template:
        return template(X=resource("AWS::Lambda::Function", {"Layers": list(names)}))

    (change,) = difference(layers("b", "c"), layers("a", "b", "c")).changes

    assert [(one.before, one.after) for one in change.properties] == [(None, "a")]


def test_a_state_machine_differs_in_the_states_that_do() -> None:
    def machine(instance: str) -> Template:
        definition = {"States": {"Train": {"Parameters": {"InstanceType": instance}, "Retry": [{"MaxAttempts": 1}]}}}
        return template(X=resource("AWS::StepFunctions::StateMachine", {"DefinitionString": json.dumps(definition)}))

    (change,) = difference(machine("ml.m5.large"), machine("ml.m5.xlarge")).changes

    assert [one.name for one in change.properties] == [
        "Properties.DefinitionString.States.Train.Parameters.InstanceType"
    ]


def test_a_renamed_resource_is_a_move_and_its_readers_stay_as_they_are() -> None:
    def lake(name: str) -> Template:
        bucket = resource("AWS::S3::Bucket", {"BucketEncryption": {"a": "b"}, "Tags": [{"Key": "k", "Value": "v"}]})
        reader = resource("AWS::SSM::Parameter", {"Value": {"Fn::GetAtt": [name, "Arn"]}, "Type": "String"})
        return template(Reader=reader, **{name: bucket})

    (change,) = difference(lake("Old"), lake("New")).changes

    assert (change.action, change.before and change.before.logical_id, change.resource.logical_id) == (
        Action.MOVED,
        "Old",
        "New",
    )
    assert change.properties == ()


def test_a_renamed_construct_moves_with_all_its_resources() -> None:
    def function(name: str) -> Template:
        role = resource("AWS::IAM::Role", {"Description": "runs", "Path": "/"})
        policy = resource("AWS::IAM::Policy", {"PolicyName": "p", "Roles": [{"Ref": f"{name}Role"}]})
        return template(**{f"{name}Role": role, f"{name}Policy": policy})

    assert difference(function("A"), function("B")).moved == {"ARole": "BRole", "APolicy": "BPolicy"}


def test_resources_that_share_little_are_one_that_goes_and_one_that_comes() -> None:
    before = template(A=resource("AWS::SQS::Queue", {"QueueName": "a", "DelaySeconds": 1, "KmsMasterKeyId": "k"}))
    after = template(B=resource("AWS::SQS::Queue", {"QueueName": "b", "DelaySeconds": 2, "KmsMasterKeyId": "k"}))

    assert actions(before, after) == {"A": "removed", "B": "added"}


def test_of_equal_resources_those_with_the_likeliest_paths_belong_together() -> None:
    def queues(*names: str) -> Template:
        return template(
            **{
                f"{name}0{index}": resource("AWS::SQS::Queue", Metadata={"aws:cdk:path": f"App/{name}/Resource"})
                for index, name in enumerate(names)
            }
        )

    assert difference(queues("Orders", "Refunds"), queues("NewRefunds", "NewOrders")).moved == {
        "Orders00": "NewOrders01",
        "Refunds01": "NewRefunds00",
    }


HASHES = ["a" * 64, "b" * 64]


@pytest.mark.parametrize(
    ("assets", "only"),
    [
        pytest.param(frozenset(HASHES), True, id="hashes of assets"),
        pytest.param(frozenset[str](), False, id="other hashes"),
    ],
)
def test_only_the_content_of_an_asset_differs_where_the_hashes_are_those_of_assets(
    assets: frozenset[str],
    only: bool,  # noqa: FBT001 -- a parameter of the table
) -> None:
    before = template(X=resource("AWS::Lambda::Function", {"Code": {"S3Key": f"{HASHES[0]}.zip"}}))

    (change,) = difference(before, changed(before, "Properties.Code.S3Key", f"{HASHES[1]}.zip"), assets=assets).changes

    assert change.only_assets is only


def test_what_only_the_user_guide_calls_a_replacement_may_be_one() -> None:
    bucket = template(X=resource("AWS::S3::Bucket", {"ObjectLockEnabled": True}))

    assert actions(bucket, changed(bucket, "Properties.ObjectLockEnabled", False)) == {"X": "may-be-replaced"}

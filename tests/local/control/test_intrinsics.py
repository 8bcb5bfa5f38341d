"""What do CloudFormation's functions stand for?"""

from __future__ import annotations

from typing import Any

import pytest

from mlplatform_cdk.local.adapters.cloudformation.graph import creation_order
from mlplatform_cdk.local.adapters.cloudformation.intrinsics import Scope
from mlplatform_cdk.local.adapters.cloudformation.resource import CannotProvision

SCOPE = Scope(
    template={
        "Conditions": {
            "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
            "IsNotProd": {"Fn::Not": [{"Condition": "IsProd"}]},
            "Both": {"Fn::And": [{"Condition": "IsProd"}, {"Condition": "IsNotProd"}]},
            "Either": {"Fn::Or": [{"Condition": "IsProd"}, {"Condition": "IsNotProd"}]},
        },
        "Mappings": {"Size": {"dev": {"count": 1}}},
    },
    pseudo={"AWS::Region": "eu-west-1", "AWS::Partition": "aws"},
    parameters={"Stage": "dev", "Zones": ["a", "b"]},
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({"Ref": "Stage"}, "dev", id="a parameter"),
        pytest.param({"Fn::Sub": "${Stage} in ${AWS::Region}, ${!Literal}"}, "dev in eu-west-1, ${Literal}", id="text"),
        pytest.param({"Fn::Sub": ["${A}${Stage}", {"A": {"Ref": "Stage"}}]}, "devdev", id="text with its own names"),
        pytest.param({"Fn::Join": [":", ["a", True, 1]]}, "a:true:1", id="joined"),
        pytest.param({"Fn::Select": ["1", {"Ref": "Zones"}]}, "b", id="one of a list"),
        pytest.param({"Fn::Split": [",", "a,b"]}, ["a", "b"], id="split"),
        pytest.param({"Fn::If": ["IsProd", 3, 1]}, 1, id="by a condition"),
        pytest.param({"Fn::If": ["Both", 3, 1]}, 1, id="both of two conditions"),
        pytest.param({"Fn::If": ["Either", 3, 1]}, 3, id="either of two conditions"),
        pytest.param({"Fn::FindInMap": ["Size", {"Ref": "Stage"}, "count"]}, 1, id="from a mapping"),
        pytest.param({"Fn::GetAZs": ""}, ["eu-west-1a", "eu-west-1b", "eu-west-1c"], id="zones"),
        pytest.param({"Fn::Base64": "x"}, "eA==", id="base 64"),
        pytest.param({"Fn::ToJsonString": {"a": {"Ref": "Stage"}}}, '{"a":"dev"}', id="JSON"),
        pytest.param({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}, id="no value"),
    ],
)
def test_a_function_becomes_its_value(value: Any, expected: Any) -> None:
    assert SCOPE.resolve(value) == expected


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        pytest.param({"Ref": "Nobody"}, r"\[Nobody\]", id="reference"),
        pytest.param({"Fn::GetAtt": ["Nobody", "Arn"]}, r"\[Nobody\]", id="attribute"),
        pytest.param({"Fn::Sub": "${Nobody}"}, r"\[Nobody\]", id="in text"),
        pytest.param({"Fn::ImportValue": "nothing"}, "No export named nothing", id="import"),
        pytest.param({"Fn::Transform": {}}, "no function Fn::Transform", id="function"),
        pytest.param({"Fn::Select": [5, ["a"]]}, "index 5", id="index"),
        pytest.param({"Fn::FindInMap": ["Size", "prod", "count"]}, "Size::prod::count", id="mapping"),
    ],
)
def test_what_is_unknown_is_an_error_and_never_left_in_the_value(value: Any, problem: str) -> None:
    with pytest.raises(CannotProvision, match=problem):
        SCOPE.resolve(value)


def test_resources_come_after_all_that_they_refer_to() -> None:
    order = creation_order(
        {
            "Last": {"Type": "T", "Properties": {"a": [{"Fn::Sub": "${Middle.Arn}"}]}},
            "Middle": {"Type": "T", "DependsOn": ["First"]},
            "First": {"Type": "T", "Properties": {"zone": {"Ref": "AWS::Region"}}},
        }
    )

    assert order == ["First", "Middle", "Last"]


def test_resources_in_a_circle_are_named() -> None:
    with pytest.raises(CannotProvision, match=r"Circular dependency.*A"):
        creation_order({"A": {"Type": "T", "DependsOn": "B"}, "B": {"Type": "T", "DependsOn": "A"}})

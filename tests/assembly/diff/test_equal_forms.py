"""What can be said in several ways differs in none of them."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.diff import compare
from tests.assembly.diff.stacks import ACCOUNT, REGION, Template, difference, resource, template

HALF = 0.5
REF, ATT = {"Ref": "Bucket"}, {"Fn::GetAtt": ["Bucket", "Arn"]}
BUCKET = resource("AWS::S3::Bucket")


def value(content: Any, **sections: Any) -> Template:
    return template(sections, X=resource("AWS::SSM::Parameter", {"Value": content}), Bucket=BUCKET)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"Fn::Sub": "a-${Bucket}"}, {"Fn::Join": ["", ["a-", REF]]}, id="Sub and Join"),
        pytest.param(
            {"Fn::Sub": "${Bucket.Arn}/*"}, {"Fn::Join": ["/", [ATT, "*"]]}, id="an attribute in Sub and Join"
        ),
        pytest.param(
            {"Fn::Sub": ["${a}-b", {"a": REF}]}, {"Fn::Sub": "${Bucket}-b"}, id="Sub with and without variables"
        ),
        pytest.param({"Fn::Join": ["", ["a", "b"]]}, "ab", id="a Join of nothing but text"),
        pytest.param(
            {"Fn::Join": ["", ["a", {"Fn::Join": ["", ["b", REF]]}]]}, {"Fn::Sub": "ab${Bucket}"}, id="a Join in a Join"
        ),
        pytest.param({"Fn::Sub": "${!Literal}"}, "${Literal}", id="a literal dollar sign"),
        pytest.param({"Fn::GetAtt": "Bucket.Arn"}, ATT, id="GetAtt as text and as list"),
        pytest.param({"Fn::Sub": "${Bucket}"}, REF, id="Sub of a reference"),
        pytest.param({"Ref": "AWS::Region"}, REGION, id="the region's name"),
        pytest.param(
            {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"},
            f"arn:aws:iam::{ACCOUNT}:root",
            id="an ARN",
        ),
        pytest.param({"Fn::Select": [1, ["a", "b"]]}, "b", id="Select of a list"),
        pytest.param({"Fn::Select": ["1", {"Fn::Split": ["/", "a/b"]}]}, "b", id="Split of a text"),
        pytest.param({"Fn::GetAZs": ""}, {"Fn::GetAZs": {"Ref": "AWS::Region"}}, id="GetAZs of this region"),
        pytest.param(80, "80", id="a number and its text"),
        pytest.param(1.0, "1", id="a whole number with a point"),
        pytest.param(True, "true", id="a flag and its text"),
        pytest.param('{"a": 1, "b": [2]}', '{"b":[2],"a":1}', id="JSON in a text"),
        pytest.param(
            {"Fn::Join": ["", ['{"a":"', REF, '","b":', {"Fn::GetAtt": ["Bucket", "Arn"]}, "}"]]},
            {"Fn::Sub": '{"b": "${Bucket.Arn}", "a": "${Bucket}"}'},
            id="JSON with values of deploy time",
        ),
        pytest.param({"a": "x", "b": {"Ref": "AWS::NoValue"}}, {"a": "x"}, id="NoValue and nothing"),
    ],
)
def test_equal_values_do_not_differ(one: Any, other: Any) -> None:
    assert difference(value(one), value(other)).is_empty


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"Fn::Sub": "a-${Bucket}"}, "a-${Bucket}", id="a reference is not its name"),
        pytest.param({"Fn::Join": ["", ["a-", REF]]}, {"Fn::Join": ["", ["a-", ATT]]}, id="name and ARN"),
        pytest.param('{"a": 1}', '{"a": "1"}', id="a number in JSON is no text"),
        pytest.param(["a", "b"], ["b", "a"], id="a list whose order counts"),
        pytest.param(f"a-{REGION}9", {"Fn::Sub": "a-${AWS::Region}"}, id="another region"),
        pytest.param({"Fn::If": ["C", "a", "b"]}, {"Fn::If": ["C", "b", "a"]}, id="branches the other way round"),
    ],
)
def test_other_values_differ(one: Any, other: Any) -> None:
    assert not difference(value(one), value(other)).is_empty


PROD = {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
IN_TEST = {"Fn::Equals": [{"Ref": "Kind"}, "test"]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            value({"Fn::If": ["A", "x", "y"]}, Conditions={"A": PROD}),
            value({"Fn::If": ["B", "x", "y"]}, Conditions={"B": {"Fn::Equals": ["prod", {"Ref": "Stage"}]}}),
            id="a condition under another name, its sides exchanged",
        ),
        pytest.param(
            value({"Fn::If": ["A", "x", "y"]}, Conditions={"A": PROD}),
            value({"Fn::If": ["N", "y", "x"]}, Conditions={"A": PROD, "N": {"Fn::Not": [{"Condition": "A"}]}}),
            id="the opposite condition with its branches exchanged",
        ),
        pytest.param(
            value({"Fn::If": ["A", "x", "y"]}, Conditions={"A": {"Fn::And": [PROD, {"Fn::Equals": ["a", "a"]}]}}),
            value({"Fn::If": ["A", "x", "y"]}, Conditions={"A": PROD}),
            id="a conjunction with what is always true",
        ),
        pytest.param(
            value({"Fn::If": ["A", "x", "y"]}, Conditions={"A": {"Fn::Not": [{"Fn::And": [PROD, IN_TEST]}]}}),
            value(
                {"Fn::If": ["A", "x", "y"]},
                Conditions={"A": {"Fn::Or": [{"Fn::Not": [IN_TEST]}, {"Fn::Not": [PROD]}]}},
            ),
            id="a negation of a conjunction",
        ),
        pytest.param(
            value({"Fn::If": ["A", "x", "y"]}, Conditions={"A": {"Fn::Not": [{"Fn::Or": [PROD, IN_TEST]}]}}),
            value({"Fn::If": ["A", "y", "x"]}, Conditions={"A": {"Fn::Or": [{"Fn::Or": [IN_TEST, PROD]}, PROD]}}),
            id="a disjunction in a disjunction, and its opposite",
        ),
        pytest.param(
            value({"Fn::If": ["A", "x", "y"]}, Conditions={"A": {"Fn::Equals": ["a", "b"]}}),
            value("y"),
            id="a condition that is never true",
        ),
        pytest.param(
            value({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "k"]}, Mappings={"M": {REGION: {"k": "v"}}}),
            value("v"),
            id="a mapping whose keys are known",
        ),
        pytest.param(
            value({"Ref": "P1"}, Parameters={"P1": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a"}}),
            value({"Ref": "P2"}, Parameters={"P2": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a"}}),
            id="the parameter that CDK makes to read SSM, under another id",
        ),
        pytest.param(
            template(X=resource("AWS::SNS::Topic", DependsOn=["A", "B"]), A=BUCKET, B=BUCKET),
            template(X=resource("AWS::SNS::Topic", DependsOn=["B", "A"]), A=BUCKET, B=BUCKET),
            id="DependsOn in another order",
        ),
        pytest.param(
            template(X=resource("AWS::SSM::Parameter", {"Value": REF}, DependsOn="Bucket"), Bucket=BUCKET),
            template(X=resource("AWS::SSM::Parameter", {"Value": REF}), Bucket=BUCKET),
            id="DependsOn what is referred to",
        ),
        pytest.param(
            template(X=resource("AWS::S3::Bucket", DeletionPolicy="Delete")),
            template(X=BUCKET),
            id="the default policy",
        ),
        pytest.param(
            template(X=resource("AWS::S3::Bucket", Metadata={"aws:cdk:path": "a", "cdk_nag": {}})),
            template(X=BUCKET),
            id="metadata for tools",
        ),
        pytest.param(template(X=resource("AWS::S3::Bucket", {"Tags": []})), template(X=BUCKET), id="no tags"),
        pytest.param(
            template(X=BUCKET, M=resource("AWS::CDK::Metadata", {"Analytics": "a"})), template(X=BUCKET), id="analytics"
        ),
        pytest.param(
            template(
                {"Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}}, X=BUCKET, Y={**BUCKET, "Condition": "Never"}
            ),
            template(X=BUCKET),
            id="a resource that is never made",
        ),
    ],
)
def test_equal_templates_do_not_differ(one: Template, other: Template) -> None:
    stack = difference(one, other)

    assert [*stack.changes, *stack.sections] == []


def test_metadata_that_are_no_mapping_are_compared_as_they_are() -> None:
    one, other = (template(X=resource("AWS::S3::Bucket", Metadata=text)) for text in ("x", "y"))

    assert difference(one, one).is_empty
    assert [change.action.value for change in difference(one, other).changes] == ["changed"]


def test_a_resource_that_is_never_made_any_more_is_removed() -> None:
    never = {"Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}}

    (change,) = difference(template(X=BUCKET), template(never, X={**BUCKET, "Condition": "Never"})).changes

    assert change.action.value == "removed"


def policy(*statements: Any) -> Template:
    document = {"Version": "2012-10-17", "Statement": list(statements) if len(statements) > 1 else statements[0]}
    return template(X=resource("AWS::IAM::ManagedPolicy", {"PolicyDocument": document}))


def allow(action: Any, resources: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resources, **more}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            policy(allow(["s3:GetObject", "s3:PutObject"])),
            policy(allow(["s3:PutObject", "S3:getobject"])),
            id="order and case of actions",
        ),
        pytest.param(policy(allow("s3:GetObject")), policy(allow(["s3:GetObject"], ["*"])), id="text and list"),
        pytest.param(policy(allow("a:B"), allow("c:D")), policy(allow("c:D"), allow("a:B")), id="order of statements"),
        pytest.param(policy(allow(["a:B", "c:D"])), policy(allow("a:B"), allow("c:D")), id="statements joined"),
        pytest.param(policy(allow("a:B", "*"), allow("a:B", "*")), policy(allow("a:B")), id="a statement said twice"),
        pytest.param(
            policy(allow("a:B", "x"), allow("a:B*", "*")),
            policy(allow("a:B*", "*")),
            id="a statement that another covers",
        ),
        pytest.param(
            policy(allow("a:B", Condition={"Bool": {"aws:SecureTransport": "true"}}), allow("a:B")),
            policy(allow("a:B")),
            id="a statement under a condition that another does not ask for",
        ),
        pytest.param(
            policy(allow("a:B"), {"Fn::If": ["C", allow("c:D"), {"Ref": "AWS::NoValue"}]}),
            policy(
                {"Fn::If": ["C", allow(["C:d"]), {"Ref": "AWS::NoValue"}]},
                {"Fn::If": ["C", {"Ref": "AWS::NoValue"}, allow("a:B")]},
                {"Fn::If": ["C", allow("a:B"), {"Ref": "AWS::NoValue"}]},
            ),
            id="a statement in both cases of a condition",
        ),
        pytest.param(
            policy(allow({"Fn::If": ["C", "a:B", "c:D"]}, {"Fn::If": ["C", "x", "y"]})),
            policy({"Fn::If": ["C", allow("a:B", "x"), allow("c:D", "y")]}),
            id="a condition inside a statement",
        ),
        pytest.param(
            policy(allow("a:B", Effect="Deny"), allow("a:*", Effect="Deny")),
            policy(allow("a:*", Effect="Deny")),
            id="a denial that another covers",
        ),
        pytest.param(
            policy(allow("a:B", Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}})),
            policy(allow("a:B", Condition={"StringEquals": {"AWS:sourceaccount": [{"Ref": "AWS::AccountId"}]}})),
            id="a condition's key in another case",
        ),
        pytest.param(
            policy(allow("a:B", Principal={"AWS": ACCOUNT})),
            policy(allow("a:B", Principal={"AWS": [{"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}]})),
            id="an account and its root user",
        ),
        pytest.param(policy(allow("a:B", Principal="*")), policy(allow("a:B", Principal={"AWS": "*"})), id="everybody"),
        pytest.param(
            policy(allow("a:B", Condition={"Bool": {"aws:SecureTransport": True}})),
            policy(allow("a:B", Condition={"Bool": {"aws:SecureTransport": "true"}})),
            id="a flag in a condition",
        ),
    ],
)
def test_equal_policies_do_not_differ(one: Template, other: Template) -> None:
    assert difference(one, other).is_empty


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            policy(allow("a:B", "x"), allow("a:B", "*", Effect="Deny")),
            policy(allow("a:B", "*", Effect="Deny")),
            id="what a denial covers is not allowed twice",
        ),
        pytest.param(
            policy(allow("a:B"), allow("a:B*", Condition={"StringEquals": {"k": "v"}})),
            policy(allow("a:B*", Condition={"StringEquals": {"k": "v"}})),
            id="the other one stands under a condition",
        ),
        pytest.param(
            policy(allow("a:B", Principal={"AWS": "x"}), allow("a:B", NotPrincipal={"AWS": ["x", "y"]})),
            policy(allow("a:B", NotPrincipal={"AWS": ["x", "y"]})),
            id="the other one leaves the principal out",
        ),
    ],
)
def test_policies_that_only_look_alike_differ(one: Template, other: Template) -> None:
    assert not difference(one, other).is_empty


def test_beside_another_change_a_statement_that_is_covered_is_not_told() -> None:
    everything, part, new = allow("a:B*"), allow("a:Bc"), allow("d:E")

    (change,) = difference(policy(everything, part), policy(everything, new)).changes

    assert [(one.before, one.after["Action"]) for one in change.properties] == [(None, ["d:E"])]


def test_an_unchanged_app_differs_in_nothing(dev_assembly: Path) -> None:
    assembly = read(dev_assembly)

    assert compare(assembly, assembly).is_empty


def shuffled(content: Any, chance: Random) -> Any:
    """The same meaning in another form: members and free lists in another order, joins as subs, texts as lists."""
    if isinstance(content, dict):
        return shuffled_object(content, chance)
    if isinstance(content, list):
        return [shuffled(member, chance) for member in content]
    if isinstance(content, bool):
        return chance.choice([content, str(content).lower()])
    return chance.choice([content, str(content)]) if isinstance(content, int) else content


def shuffled_object(content: dict[str, Any], chance: Random) -> dict[str, Any]:
    match content:
        case {"Fn::Join": ["", list(parts)]} if chance.random() < HALF:
            return substituted(parts, chance)
        case {"Fn::GetAtt": [name, attribute]} if chance.random() < HALF:
            return {"Fn::GetAtt": f"{name}.{attribute}"}
    names = chance.sample(list(content), len(content))
    made = {name: shuffled(content[name], chance) for name in names}
    free = {"Statement", "DependsOn"} | ({"Action", "Resource"} if "Effect" in made else set())
    free |= {"Tags"} if isinstance(made.get("Tags"), list) else set()
    return {name: reordered(one, chance) if name in free else one for name, one in made.items()}


def reordered(one: Any, chance: Random) -> Any:
    return chance.sample(one, len(one)) if isinstance(one, list) else chance.choice([one, [one]])


def substituted(parts: list[Any], chance: Random) -> Any:
    text, values = "", {}
    for index, part in enumerate(parts):
        if isinstance(part, str):
            text += part.replace("${", "${!")
        else:
            text += f"${{V{index}}}"
            values[f"V{index}"] = shuffled(part, chance)
    return {"Fn::Sub": [text, values]} if values else {"Fn::Sub": text}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_the_platform_in_equal_forms_differs_in_nothing(dev_assembly: Path, seed: int) -> None:
    for stack in read(dev_assembly).all_stacks():
        other = json.loads(json.dumps(shuffled(stack.template, Random(seed))))
        assert json.dumps(other) != json.dumps(stack.template)

        compared = difference(stack.template, other, account=stack.account, region=stack.region)

        assert [*compared.changes, *compared.sections] == []

"""What goes, what moves and what outgrows its stack: is it said what becomes of the data?"""

from __future__ import annotations

from typing import Any

import pytest

from mlplatform_cdk.assembly.diff import RULES
from mlplatform_cdk.assembly.findings import Finding
from tests.assembly.diff.stacks import Template, changed, found, resource, template

BUCKET = template(X=resource("AWS::S3::Bucket", {"BucketName": "b", "Tags": [{"Key": "k", "Value": "v"}]}))
TABLE = template(X=resource("AWS::DynamoDB::Table", {"TableName": "t"}, UpdateReplacePolicy="Retain"))
EMPTY = template()


def rules(before: Template | None, after: Template | None, **settings: Any) -> set[tuple[str, str]]:
    return {(finding.rule, finding.severity.value) for finding in found(before, after, **settings)}


def only(findings: tuple[Finding, ...], rule: str) -> Finding:
    (one,) = [finding for finding in findings if finding.rule == rule]
    return one


def test_removed_data_is_lost_or_orphaned_by_the_policy_that_stands() -> None:
    keep = changed(BUCKET, "DeletionPolicy", "Retain")

    assert "lost: objects" in only(found(BUCKET, EMPTY), "data-lost").reason
    assert "stays in the account" in only(found(keep, EMPTY), "data-orphaned").reason


def test_a_replacement_takes_the_weaker_of_the_policies_before_and_after() -> None:
    before = changed(BUCKET, "UpdateReplacePolicy", "Retain")
    after = changed(changed(before, "UpdateReplacePolicy", "Delete"), "Properties.BucketName", "c")

    assert ("data-lost", "error") in rules(before, after)


PROD, EUROPE = ({"Fn::Equals": [{"Ref": name}, value]} for name, value in (("Stage", "prod"), ("Place", "europe")))


def under(test: Any, kind: str, **attributes: Any) -> Template:
    """A resource under that condition."""
    conditions = {} if test is None else {"Condition": "C"}
    return template({"Conditions": {"C": test}} if test else {}, X=resource(kind, **conditions, **attributes))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(None, PROD, id="it had none"),
        pytest.param(PROD, {"Fn::Equals": [{"Ref": "Stage"}, "dev"]}, id="another"),
        pytest.param(PROD, {"Fn::Not": [PROD]}, id="the opposite"),
        pytest.param({"Fn::Or": [PROD, EUROPE]}, PROD, id="a narrower one"),
    ],
)
def test_what_a_condition_may_take_away_is_named(before: Any, after: Any) -> None:
    table, api = "AWS::DynamoDB::Table", "AWS::ApiGateway::RestApi"
    kept = {"DeletionPolicy": "Retain"}

    lost = only(found(under(before, table), under(after, table)), "data-lost")
    assert (lost.severity.value, "may be removed" in lost.message) == ("warning", True)
    assert rules(under(before, table, **kept), under(after, table, **kept)) == {("data-orphaned", "warning")}
    assert rules(under(before, api), under(after, api)) == {("endpoint-replaced", "warning")}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(PROD, None, id="none any more"),
        pytest.param(PROD, {"Fn::Or": [EUROPE, PROD]}, id="a wider one"),
        pytest.param({"Fn::And": [EUROPE, PROD]}, PROD, id="half of it"),
    ],
)
def test_a_condition_that_holds_as_often_takes_nothing_away(before: Any, after: Any) -> None:
    assert found(under(before, "AWS::DynamoDB::Table"), under(after, "AWS::DynamoDB::Table")) == ()


@pytest.mark.parametrize(
    "kind",
    ["AWS::SageMaker::Endpoint", "AWS::SageMaker::Domain", "AWS::CloudFront::Distribution", "AWS::ApiGateway::RestApi"],
)
def test_an_endpoint_or_domain_that_goes_is_named(kind: str) -> None:
    assert ("endpoint-replaced", "error") in rules(template(X=resource(kind)), EMPTY)


def test_an_endpoint_under_a_new_name_is_replaced() -> None:
    before = template(X=resource("AWS::SageMaker::Endpoint", {"EndpointName": "a", "EndpointConfigName": "c"}))

    one = only(found(before, changed(before, "Properties.EndpointName", "b")), "endpoint-replaced")

    assert one.message == "the endpoint is replaced: Properties.EndpointName cannot change in place"


def test_a_move_says_how_to_keep_the_resource() -> None:
    bucket = BUCKET["Resources"]["X"]

    findings = found(template(Old=bucket), template(New=bucket))

    move = only(findings, "moved")
    assert 'override_logical_id("Old")' in move.way_out
    assert "both would be called b" in move.reason
    assert move.severity.value == "warning"
    assert "deletes the first" in move.reason
    kept = {**bucket, "DeletionPolicy": "Retain"}
    assert "leaves the first" in only(found(template(Old=kept), template(New=kept)), "moved").reason
    assert 'override_logical_id("Old")' in only(findings, "data-lost").way_out


def test_a_stack_that_leaves_the_app_stays_in_the_account() -> None:
    one = only(found(BUCKET, None), "stack-abandoned")

    assert "1 resources, 1 of them with data" in one.message
    assert "Try-Stack" in one.way_out


def test_a_stack_that_grows_near_a_limit_is_named_and_one_that_stands_there_is_not() -> None:
    def topics(count: int) -> Template:
        return template(
            **{f"T{number}": resource("AWS::SNS::Topic", {"TopicName": f"t{number}"}) for number in range(count)}
        )

    assert only(found(topics(390), topics(401)), "stack-near-limit").message == "401 resources of 500 (80%), 390 before"
    assert ("stack-near-limit", "error") in rules(topics(400), topics(501))
    assert found(topics(402), topics(401)) == ()
    assert not {rule for rule, _ in rules(topics(10), topics(399))} & {"stack-near-limit"}


def test_parameters_outputs_and_bytes_have_limits_too() -> None:
    many = {f"P{number}": {"Type": "String"} for number in range(160)}
    outputs = {f"O{number}": {"Value": "x" * 6000} for number in range(160)}

    messages = {one.message for one in found(EMPTY, template({"Parameters": many, "Outputs": outputs}))}

    assert {message.split(" of ")[0].split(" ", 1)[1] for message in messages} == {"parameters", "outputs", "bytes"}


def test_every_finding_has_a_known_rule() -> None:
    every = (*found(BUCKET, EMPTY), *found(TABLE, changed(TABLE, "Properties.TableName", "u")), *found(BUCKET, None))

    assert {finding.rule for finding in every} <= set(RULES)

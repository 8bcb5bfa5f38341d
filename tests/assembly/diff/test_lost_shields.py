"""What stood between a resource and the world, or a reader and the data: is it missed when it goes?"""

from __future__ import annotations

from typing import Any

import pytest

from mlplatform_cdk.assembly.findings import Finding
from tests.assembly.diff.stacks import Template, changed, found, resource, template

ACL = resource("AWS::EC2::NetworkAcl", {"VpcId": "v"})
API = resource("AWS::ApiGatewayV2::Api", {"Name": "a"})
WALL = resource("AWS::WAFv2::WebACLAssociation", {"ResourceArn": {"Fn::GetAtt": ["Api", "Arn"]}, "WebACLArn": "w"})
FEATURES = template(
    X=resource(
        "AWS::SageMaker::FeatureGroup",
        {
            "FeatureGroupName": "g",
            "RecordIdentifierFeatureName": "id",
            "EventTimeFeatureName": "at",
            "FeatureDefinitions": [
                {"FeatureName": "amount", "FeatureType": "Integral"},
                {"FeatureName": "id", "FeatureType": "String"},
                {"FeatureName": "at", "FeatureType": "String"},
            ],
        },
    )
)


def entry(number: int, peer: str, group: Any = None, **more: Any) -> dict[str, Any]:
    named = {"NetworkAclId": group or {"Ref": "Acl"}, "RuleNumber": number, "CidrBlock": peer, "Protocol": -1}
    return resource("AWS::EC2::NetworkAclEntry", {**named, "RuleAction": "allow", **more})


def only(before: Template, after: Template, rule: str) -> Finding:
    (one,) = [finding for finding in found(before, after) if finding.rule == rule]
    return one


def definitions(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"FeatureName": name, "FeatureType": kind} for name, kind in pairs]


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (
            [("amount", "Fractional"), ("id", "String"), ("at", "String")],
            "FeatureDefinitions: amount goes from Integral to Fractional",
        ),
        ([("id", "String"), ("at", "String")], "FeatureDefinitions: amount is removed"),
        (
            [("price", "Integral"), ("at", "String"), ("id", "String")],
            "FeatureDefinitions: amount is removed",
        ),
    ],
)
def test_a_feature_that_goes_or_changes_its_type_is_an_error(pairs: list[tuple[str, str]], message: str) -> None:
    one = only(FEATURES, changed(FEATURES, "Properties.FeatureDefinitions", definitions(*pairs)), "update-refused")

    assert (one.severity.value, one.message) == ("error", message)
    assert "UpdateFeatureGroup" in one.reason


@pytest.mark.parametrize(
    "features",
    [
        definitions(("id", "String"), ("amount", "Integral"), ("at", "String"), ("new", "Fractional")),
        [*definitions(("id", "String")), {"Ref": "Features"}],
    ],
    ids=["one more, in another order", "what deployment decides"],
)
def test_a_feature_that_comes_is_no_danger(features: list[Any]) -> None:
    assert found(FEATURES, changed(FEATURES, "Properties.FeatureDefinitions", features)) == ()


def test_a_feature_that_goes_in_one_case_of_a_condition_is_an_error() -> None:
    one, *others = definitions(("amount", "Integral"), ("id", "String"), ("at", "String"))
    features = [{"Fn::If": ["C", one, {"Ref": "AWS::NoValue"}]}, *others]

    assert (
        "amount"
        in only(FEATURES, changed(FEATURES, "Properties.FeatureDefinitions", features), "update-refused").message
    )


def test_a_feature_group_made_anew_loses_its_data_and_is_told_once() -> None:
    after = changed(FEATURES, "Properties.FeatureGroupName", "h")
    rules = {one.rule for one in found(FEATURES, changed(after, "Properties.FeatureDefinitions", definitions()))}

    assert "data-lost" in rules
    assert "update-refused" not in rules


def test_a_web_acl_that_is_taken_away_from_what_stays_is_an_error() -> None:
    one = only(template(Api=API, Wall=WALL), template(Api=API), "network-exposed")

    assert (one.severity.value, one.logical_id) == ("error", "Wall")
    assert one.message == "no web ACL stands before ${Api.Arn} any more"


def test_a_web_acl_that_goes_over_to_another_leaves_the_first_open() -> None:
    second = changed(template(X=WALL), "Properties.ResourceArn", "another")["Resources"]["X"]

    assert "${Api.Arn}" in only(template(Api=API, W=WALL), template(Api=API, W=second), "network-exposed").message


@pytest.mark.parametrize(
    "after",
    [
        template(Other=resource("AWS::SNS::Topic")),
        template(Api=API, Second=changed(template(X=WALL), "Properties.WebACLArn", "x")["Resources"]["X"]),
    ],
    ids=["it goes with its API", "another takes its place"],
)
def test_a_web_acl_whose_work_is_done_is_not_missed(after: Template) -> None:
    assert "network-exposed" not in {one.rule for one in found(template(Api=API, Wall=WALL), after)}


@pytest.mark.parametrize(
    ("peer", "group", "severity"),
    [("0.0.0.0/0", None, "error"), ("172.16.0.0/12", None, "warning"), ("0.0.0.0/0", "acl-1", "error")],
)
def test_a_new_entry_opens_a_list_that_is_there(peer: str, group: str | None, severity: str) -> None:
    before = template(Acl=ACL, One=entry(1, "10.0.0.0/8", group))
    after = template(Acl=ACL, One=entry(1, "10.0.0.0/8", group), Two=entry(2, peer, group))

    one = only(before, after, "network-exposed")

    assert (one.severity.value, one.logical_id) == (severity, "Two")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (template(), template(Acl=ACL, One=entry(1, "0.0.0.0/0"))),
        (
            template(Acl=ACL, One=entry(1, "10.0.0.0/8")),
            template(Acl=ACL, One=entry(1, "10.0.0.0/8"), Two=entry(2, "10.1.0.0/16")),
        ),
        (template(Acl=ACL), template(Acl=ACL, One=entry(1, "0.0.0.0/0", RuleAction="deny"))),
    ],
    ids=["a list that is new", "allowed before", "a denial"],
)
def test_an_entry_that_allows_no_more_is_no_danger(before: Template, after: Template) -> None:
    assert "network-exposed" not in {one.rule for one in found(before, after)}


def test_a_replacement_names_only_what_is_certain() -> None:
    before = template(X=resource("AWS::RDS::DBInstance", {"StorageEncrypted": True, "BackupRetentionPeriod": 7}))
    after = changed(changed(before, "Properties.StorageEncrypted", False), "Properties.BackupRetentionPeriod", 1)

    message = only(before, after, "replaced").message

    assert message == "AWS::RDS::DBInstance is replaced: Properties.StorageEncrypted cannot change in place"


def denial(number: int, peer: str, group: Any = None, **more: Any) -> dict[str, Any]:
    return entry(number, peer, group, RuleAction="deny", **more)


@pytest.mark.parametrize(
    ("denied", "severity"),
    [
        (denial(1, "203.0.113.0/24"), "warning"),
        (denial(1, "0.0.0.0/0", Protocol=6, PortRange={"From": 22, "To": 22}), "error"),
        (denial(1, "10.0.0.0/8", Egress=True), "warning"),
    ],
)
def test_a_denial_that_goes_lets_in_what_an_entry_behind_it_allows(denied: dict[str, Any], severity: str) -> None:
    way = {"Egress": True} if denied["Properties"].get("Egress") else {}
    before = template(Acl=ACL, No=denied, Yes=entry(2, "0.0.0.0/0", **way))
    after = template(Acl=ACL, Yes=entry(2, "0.0.0.0/0", **way))

    one = only(before, after, "network-exposed")

    assert one.severity.value == severity
    assert denied["Properties"]["CidrBlock"] in one.message


def test_a_denial_that_shrinks_or_goes_from_a_list_of_another_stack_is_named() -> None:
    rest = {"Acl": ACL, "Yes": entry(2, "0.0.0.0/0")}
    before, after = (template(**rest, No=denial(1, peer)) for peer in ("10.0.0.0/8", "10.1.0.0/16"))

    assert "10.0.0.0/8 is no longer kept out" in only(before, after, "network-exposed").message
    assert only(template(No=denial(1, "10.0.0.0/8", "acl-1")), template(), "network-exposed")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            template(Acl=ACL, No=denial(1, "10.0.0.0/8"), Yes=entry(2, "172.16.0.0/12")),
            template(Acl=ACL, Yes=entry(2, "172.16.0.0/12")),
            id="nothing allows it",
        ),
        pytest.param(
            template(Acl=ACL, No=denial(3, "10.0.0.0/8"), Yes=entry(2, "0.0.0.0/0")),
            template(Acl=ACL, Yes=entry(2, "0.0.0.0/0")),
            id="it came too late to deny",
        ),
        pytest.param(
            template(Acl=ACL, No=denial(1, "10.1.0.0/16"), Yes=entry(9, "0.0.0.0/0")),
            template(Acl=ACL, Other=denial(2, "10.0.0.0/8"), Yes=entry(9, "0.0.0.0/0")),
            id="another denies more",
        ),
        pytest.param(
            template(Acl=ACL, No=denial(1, "10.0.0.0/8"), Yes=entry(2, "0.0.0.0/0")), template(), id="the list goes"
        ),
    ],
)
def test_a_denial_that_nobody_needs_any_more_is_no_danger(before: Template, after: Template) -> None:
    assert [one for one in found(before, after) if one.rule == "network-exposed"] == []


def copied(*rules: dict[str, Any]) -> Template:
    return template(X=resource("AWS::S3::Bucket", {"ReplicationConfiguration": {"Role": "r", "Rules": [*rules]}}))


def test_a_rule_of_replication_under_another_name_copies_as_before() -> None:
    rule = {"Id": "old", "Status": "Enabled", "Destination": {"Bucket": "b"}, "Prefix": "runs/"}
    other = {**rule, "Id": "other", "Prefix": "raw/"}

    assert found(copied(rule, other), copied({**rule, "Id": "new"}, other)) == ()
    assert [one.rule for one in found(copied(rule, other), copied(other))] == ["protection-weakened"]
    narrower = {**rule, "Id": "new", "Prefix": "runs/one/"}
    assert [one.rule for one in found(copied(rule, other), copied(narrower, other))] == ["protection-weakened"]

"""Is a region one line of its environment, which touches no other region?"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from mlplatform_cdk.assembly.cost import Usage, estimate, packaged
from mlplatform_cdk.assembly.cost.money import told
from mlplatform_cdk.assembly.diff import AssemblyDiff, compare
from mlplatform_cdk.assembly.reader import Assembly, Stack, read
from mlplatform_cdk.assembly.snapshots import reviewable
from stacks.environments import PROD, InAnotherAccount, PlatformEnvironment, UnknownEnvironmentError
from stacks.foundation import FoundationStack
from stacks.regions import Regions
from stacks.serving import ServingStack
from stacks.stage import PlatformStage
from tests.stacks.conftest import ROOT

PAGE = ROOT / "docs" / "regions.md"
HOME, ELSEWHERE, MORE = "eu-west-1", "eu-central-1", "us-west-2"
THERE = InAnotherAccount(region=MORE, account="210987654321", hosted_zone_id="Z9876543210ABC")
ONES_OWN = {f"{stack}-{MORE}" for stack in ("Foundation", "Registry", "Serving")}


def synthesize(environment: PlatformEnvironment, outdir: Path) -> Assembly:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(context=context, outdir=str(outdir))
    PlatformStage(app, "MlPlatform-Prod", environment=environment)
    app.synth()
    return read(outdir)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """Production, as it is."""
    return synthesize(PROD, tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """Production with one line more."""
    return synthesize(replace(PROD, also_in=(*PROD.also_in, MORE)), tmp_path_factory.mktemp("three"))


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Stack]:
    """The stacks of production with its further region in another account, by their names, in the order of a deploy.

    Each of its regions takes 120 requests a second.
    """
    changed = replace(PROD, also_in=(THERE,), requests_per_second=120)
    assembly = synthesize(changed, tmp_path_factory.mktemp("accounts"))
    return {stack.path.rpartition("/")[2]: stack for stack in assembly.all_stacks()}


def differing(found: AssemblyDiff) -> dict[str, dict[str, set[str]]]:
    """By stack and action, the constructs of the resources that differ, by their paths in their stack."""
    every: dict[str, dict[str, set[str]]] = {}
    for stack, change in found.changes():
        of = every.setdefault(stack.key.rpartition("/")[2], {})
        path = change.resource.path.split("/", 2)[2].removesuffix("/Resource")
        of.setdefault(change.action.value, set()).add(path)
    return every


# What names all regions, at home and in the stack of the names; nothing of another region is among it.
NAMES_ALL = {
    "Foundation": {"Artifacts", "Replication/Role/Permissions"},
    "Train": {"Train/Machine", "Train/StepsRole/Permissions"},
    "Names": {"Names/Address", "Alarm/NoneLeft", "Alarm/RegionLost", "Observability/Dashboard"},
}


def test_a_region_that_joins_adds_its_own_and_changes_only_the_lists_of_all_regions(
    two: Assembly, three: Assembly
) -> None:
    found = differing(compare(two, three))

    assert found.keys() == ONES_OWN | NAMES_ALL.keys()
    assert {name: found[name].get("changed", set()) for name in NAMES_ALL} == NAMES_ALL
    assert {action for actions in found.values() for action in actions} == {"added", "changed"}
    assert all(MORE in path for name in NAMES_ALL for path in found[name].get("added", ()))


def test_a_region_that_leaves_takes_its_own_and_changes_only_the_lists_of_all_regions(
    two: Assembly, three: Assembly
) -> None:
    found = differing(compare(three, two))

    assert found.keys() == ONES_OWN | NAMES_ALL.keys()
    assert {name: found[name].get("changed", set()) for name in NAMES_ALL} == NAMES_ALL
    assert {action for actions in found.values() for action in actions} == {"removed", "changed"}
    assert all(MORE in path for name in NAMES_ALL for path in found[name].get("removed", ()))


def test_the_first_further_region_touches_the_homes_serving_no_more_than_any_other_and_no_train_is_left_by_the_last(
    two: Assembly, tmp_path: Path
) -> None:
    alone = replace(PROD, also_in=())
    regions = Regions.of(alone)
    assert regions is not None
    app = App(context=json.loads((ROOT / "cdk.json").read_text())["context"], outdir=str(tmp_path))
    stage = PlatformStage(app, "MlPlatform-Prod", environment=alone)
    (of_two,) = two.stages

    assert [stop.region for stop in regions.stops] == [HOME]
    assert stage.node.try_find_child("Train") is not None
    serving = stage.node.find_child("Serving")
    assert isinstance(serving, ServingStack)
    beside = {name.rpartition("/")[2]: stack for name, stack in of_two.named_stacks().items()}["Serving"]
    assert reviewable(Template.from_stack(serving).to_json()) == reviewable(beside.template)


def test_nothing_in_the_way_of_a_request_knows_another_region_and_no_region_but_the_home_is_known_to_others(
    three: Assembly,
) -> None:
    (stage,) = three.stages
    knows = {
        (name.rpartition("/")[2], region)
        for name, stack in stage.named_stacks().items()
        for region in {HOME, ELSEWHERE, MORE} - {stack.region}
        if region in json.dumps(stack.template)
    }

    # The home copies to all, the train goes to all, and the names lead to all; a copy that is late comes from the home.
    to_all = {(name, region) for name in ("Foundation", "Train") for region in (ELSEWHERE, MORE)}
    to_names = {("Names", region) for region in (HOME, ELSEWHERE, MORE)}
    assert knows == to_all | to_names | {(f"Foundation-{region}", HOME) for region in (ELSEWHERE, MORE)}


def test_the_names_and_the_train_come_after_every_region_and_copies_have_a_place_before_they_are_made(
    two: Assembly,
) -> None:
    order = [stack.path.rpartition("/")[2] for stack in two.all_stacks()]

    assert order.index(f"Foundation-{ELSEWHERE}") < order.index("Foundation")
    assert {*order[-2:]} == {"Names", "Train"}


def test_an_approval_sends_the_train_off_and_starts_no_release_beside_it(two: Assembly) -> None:
    (stage,) = two.stages
    starts = {
        name.rpartition("/")[2]: [one["Properties"]["EventPattern"]["detail"]["ModelPackageGroupName"]]
        for name, stack in stage.named_stacks().items()
        for one in stack.template["Resources"].values()
        if one["Type"] == "AWS::Events::Rule"
        and one["Properties"].get("EventPattern", {}).get("detail", {}).get("ModelApprovalStatus") == ["Approved"]
    }

    assert starts == {"Train": [["prod-breast-cancer"]]}


def test_a_region_may_lie_in_another_account_where_the_train_brings_all_and_a_zone_of_its_own_has_its_names() -> None:
    found = Regions.of(replace(PROD, also_in=(ELSEWHERE, THERE)))

    assert found is not None
    assert {stop.region: stop.account for stop in found.stops} == {
        HOME: PROD.account,
        ELSEWHERE: PROD.account,
        MORE: THERE.account,
    }
    zone = found.endpoints.targets[MORE].zone
    assert zone is not None
    assert zone.zone_name == f"{MORE}.{PROD.domain_name}"
    assert {*found.data.accounts} == {HOME, ELSEWHERE}


def properties(stack: Stack, type_: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in stack.template["Resources"].values() if one["Type"] == type_]


def test_a_region_in_another_account_writes_its_names_in_its_own_zone_and_the_one_name_leads_there(
    accounts: Mapping[str, Stack],
) -> None:
    assert {name: stack.account for name, stack in accounts.items() if stack.account != PROD.account} == dict.fromkeys(
        ONES_OWN, THERE.account
    )
    own = properties(accounts[f"Serving-{MORE}"], "AWS::Route53::RecordSet")
    leads = properties(accounts["Names"], "AWS::Route53::RecordSet")
    (certificate,) = properties(accounts[f"Serving-{MORE}"], "AWS::CertificateManager::Certificate")

    target, name = f"target.{MORE}.{PROD.domain_name}.", f"{MORE}.{PROD.domain_name}."
    assert {(one["Name"], one["HostedZoneId"]) for one in own} == {
        (place, THERE.hosted_zone_id) for place in (name, target)
    }
    assert {(one["Type"], one["HostedZoneId"], *one["ResourceRecords"]) for one in leads} == {
        ("CNAME", PROD.zone and PROD.zone.hosted_zone_id, f"{HOME}.target.{PROD.domain_name}."),
        ("CNAME", PROD.zone and PROD.zone.hosted_zone_id, target),
    }
    # What proves the one name for that account is written by hand: its stack reaches no zone of the home's.
    assert {one["HostedZoneId"] for one in certificate["DomainValidationOptions"]} == {THERE.hosted_zone_id}


def test_every_region_takes_the_requests_that_its_environment_says_from_one_address_too(
    accounts: Mapping[str, Stack], two: Assembly
) -> None:
    usual = {stack.path.rpartition("/")[2]: stack for stack in two.all_stacks()}

    assert [bounds(accounts[name]) for name in ("Serving", f"Serving-{MORE}")] == [(120, 240, 36_000)] * 2
    assert [bounds(usual[name]) for name in ("Serving", f"Serving-{ELSEWHERE}")] == [(100, 200, 30_000)] * 2


def bounds(stack: Stack) -> tuple[int, int, int]:
    """The API's rate and burst, and the web ACL's rate of one address."""
    (stage,) = properties(stack, "AWS::ApiGateway::Stage")
    (acl,) = properties(stack, "AWS::WAFv2::WebACL")
    (method,) = [one for one in stage["MethodSettings"] if one["ResourcePath"] == "/*"]
    (rate,) = [
        one["Statement"]["RateBasedStatement"] for one in acl["Rules"] if "RateBasedStatement" in one["Statement"]
    ]
    return method["ThrottlingRateLimit"], method["ThrottlingBurstLimit"], rate["Limit"]


def test_into_another_account_the_train_alone_goes_by_a_role_that_trusts_the_homes(
    accounts: Mapping[str, Stack],
) -> None:
    role = f"arn:aws:iam::{THERE.account}:role/prod-breast-cancer-train-{MORE}"
    (station,) = [
        one["AssumeRolePolicyDocument"]["Statement"]
        for one in properties(accounts[f"Serving-{MORE}"], "AWS::IAM::Role")
        if one.get("RoleName") == role.rpartition("/")[2]
    ]
    reaches = {
        name: {one["Action"] for one in statements if THERE.account in json.dumps(one)}
        for name, stack in accounts.items()
        if stack.account == PROD.account
        for policy in properties(stack, "AWS::IAM::ManagedPolicy")
        if (statements := [one for one in policy["PolicyDocument"]["Statement"] if THERE.account in json.dumps(one)])
    }

    assert [(one["Principal"], one["Condition"]) for one in station] == [
        (
            {"AWS": f"arn:aws:iam::{PROD.account}:root"},
            {"StringEquals": {"sts:ExternalId": f"prod-train/{PROD.account}"}},
        )
    ]
    assert reaches == {"Train": {"sts:AssumeRole"}}
    assert role in json.dumps(accounts["Train"].template)


def test_stacks_of_two_accounts_have_one_order_and_hand_nothing_to_one_another(
    accounts: Mapping[str, Stack],
) -> None:
    order = [*accounts]

    assert {*order[-2:]} == {"Names", "Train"}
    assert order.index(f"Foundation-{MORE}") < order.index("Foundation")
    assert [name for name, stack in accounts.items() if "Fn::ImportValue" in json.dumps(stack.template)] == []
    assert [
        name
        for name, stack in accounts.items()
        if any("Export" in one for one in stack.template.get("Outputs", {}).values())
    ] == []


def test_a_home_that_had_a_bucket_before_keeps_it_and_copies_from_it() -> None:
    environment = replace(PROD, artifacts_bucket="mlplatform-prod-foundation-artifacts82dd59a1-x1y2z3")
    stack = FoundationStack(App(), "Foundation", environment=environment, regions=Regions.of(environment))

    resources = Template.from_stack(stack).to_json()["Resources"]

    assert "BucketName" not in resources["Artifacts82DD59A1"]["Properties"]
    assert environment.artifacts_bucket in json.dumps(resources["ReplicationRolePermissionsBAC1963E"])


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        pytest.param(
            {"domain_name": None, "zone": None},
            "prod must have a domain_name to serve in eu-central-1 too, got none",
            id="without a name",
        ),
        pytest.param(
            {"also_in": ("cn-north-1",)},
            "prod: regions must lie in one partition, got aws, aws-cn; make a plan for each",
            id="in two partitions",
        ),
        pytest.param(
            {"region": "us-gov-west-1", "also_in": ("us-gov-east-1",)},
            "prod: regions must lie where Route 53 routes between regions, got 'us-gov-west-1' of aws-us-gov: it has "
            "no public zones and no latency or geolocation records there; serve each region by a name of its own",
            id="where Route 53 routes nothing",
        ),
        pytest.param(
            {"also_in": (HOME,)}, "prod: regions must be named once each, got eu-west-1, eu-west-1", id="twice"
        ),
        pytest.param(
            {"also_in": (ELSEWHERE, replace(THERE, region=ELSEWHERE))},
            "prod: regions must be named once each, got eu-west-1, eu-central-1, eu-central-1",
            id="twice, once in another account",
        ),
    ],
)
def test_regions_that_one_name_cannot_lead_to_are_refused_in_a_sentence(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UnknownEnvironmentError) as error:
        Regions.of(replace(PROD, **changed))

    assert str(error.value) == sentence


def test_the_cost_of_each_region_is_what_its_page_says(two: Assembly) -> None:
    found = estimate(two, packaged(), Usage())

    rows = [
        f"| {region} | {told(totals.committed)} | {told(totals.used)} |\n"
        for region, totals in found.by_region().items()
    ]
    said = "\n| production in | commits to, a month | the assumed use adds |\n| --- | --- | --- |\n" + "".join(rows)
    text, begin, end = PAGE.read_text(), "<!-- cost:begin -->", "<!-- cost:end -->"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        text = re.sub(f"{begin}.*?{end}", lambda _: begin + said + end, text, flags=re.DOTALL)
        PAGE.write_text(text)
    assert text.split(begin)[1].split(end)[0] == said


def test_the_lines_that_the_page_shows_are_those_of_production() -> None:
    (shown,) = re.findall(r"^```text\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)

    assert shown in (ROOT / "stacks" / "environments.py").read_text()

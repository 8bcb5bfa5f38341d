"""What do templates publish for ``mlplatform region``, and does what they grant suffice for it?"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_cdk import App, Environment
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from mlplatform_cdk.cli.region import place
from mlplatform_cdk.core import PlatformRole
from mlplatform_cdk.foundation import ArtifactStore, Keys, PlatformStack
from mlplatform_cdk.routing import GlobalNames, HealthProbe, RegionalApi, RegionSwitches, VerdictTable
from mlplatform_cdk.runtimekit.region_address import NamesAddress, RegionAddress, RegionAddressError
from mlplatform_cdk.serving import Endpoint
from tests.cli.region_world import DOMAIN, EAST, WEST, clients, run, two_regions
from tests.routing.regional_api.building import HERE, PLAN


class Granted:
    """A template, with a role of people in it."""

    def __init__(self, stack: PlatformStack, address: str) -> None:
        self.resources: dict[str, dict[str, Any]] = Template.from_stack(stack).to_json()["Resources"]
        (self.parameter,) = (
            one["Properties"] for one in self.resources.values() if one["Properties"].get("Name") == address
        )

    def statements(self) -> list[tuple[set[str], list[Any]]]:
        """What the people may do, and with what."""
        found = []
        for name, one in self.resources.items():
            if one["Type"] in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"} and name.startswith("People"):
                for statement in one["Properties"]["PolicyDocument"]["Statement"]:
                    actions, resources = statement["Action"], statement["Resource"]
                    found.append(
                        (
                            {actions} if isinstance(actions, str) else {*actions},
                            resources if isinstance(resources, list) else [resources],
                        )
                    )
        return found

    def allows(self, action: str) -> list[Any]:
        """The resources on which ``action`` is allowed."""
        return [resource for actions, resources in self.statements() if action in actions for resource in resources]

    def actions(self) -> set[str]:
        return {action for actions, _ in self.statements() for action in actions}


def people(stack: PlatformStack) -> PlatformRole:
    return PlatformRole(stack, "People", assumed_by=iam.AccountRootPrincipal(), description="The team")


def a_region(grant: str) -> Granted:
    """A region's stack, where people got ``grant`` of its probe."""
    stack = PlatformStack(App(), "Front", env=HERE)
    key = Keys(stack, "Keys").data
    artifacts = ArtifactStore(stack, "Artifacts", key=key)
    endpoint = Endpoint.from_endpoint_name(stack, "Endpoint", "churn")
    verdicts = VerdictTable(stack, "Verdicts", key=key)
    api = RegionalApi(stack, "Api", plan=PLAN, endpoint=endpoint, verdicts=verdicts, key=key)
    probe = HealthProbe(
        stack,
        "Probe",
        plan=PLAN,
        endpoint=endpoint,
        api=api,
        verdicts=verdicts,
        artifacts=artifacts,
        key=key,
        manifest_key="runs/1/manifest.json",
    )
    getattr(probe, grant)(people(stack))
    return Granted(stack, "/mlplatform/regions/models.example.com")


@pytest.fixture(scope="module")
def drains() -> Granted:
    return a_region("grant_drain")


@pytest.fixture(scope="module")
def names() -> Granted:
    stack = PlatformStack(App(), "Names", env=Environment(account="123456789012", region="us-west-2"))
    switches = RegionSwitches(stack, "Switches", plan=PLAN)
    role = people(stack)
    switches.grant_switch(role)
    GlobalNames(stack, "Names", plan=PLAN, switches=switches.arns).grant_status(role)
    return Granted(stack, "/mlplatform/names/models.example.com")


def resolved(value: Any, **tokens: str) -> str:
    """The text of a parameter, with each reference as the name of what it refers to."""
    parts = value["Fn::Join"][1]
    return "".join(one if isinstance(one, str) else next(iter(tokens.values())) for one in parts)


def test_a_region_publishes_where_its_verdict_lives(drains: Granted) -> None:
    address = RegionAddress.from_json(resolved(drains.parameter["Value"], table="the-table"))

    assert address.to_mapping() == {
        "domain": "models.example.com",
        "region": "eu-west-1",
        "endpoint": "churn",
        "table": "the-table",
        "alarm": PLAN.alarm_name("eu-west-1"),
    }
    assert "us-east-1" not in json.dumps(drains.parameter)


def test_the_names_publish_which_regions_and_switches_there_are(names: Granted) -> None:
    address = NamesAddress.from_json(resolved(names.parameter["Value"], arn="the-arn"))

    assert address.regions == ["eu-west-1", "us-east-1"]
    assert address.switches == {"eu-west-1": "the-arn", "us-east-1": "the-arn"}


@pytest.mark.parametrize("text", ["{}", "[]", "no JSON", '{"domain": "models.example.com"}'])
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(RegionAddressError, match="an address of regions must hold"):
        RegionAddress.from_json(text)


def test_a_later_release_may_publish_more() -> None:
    text = json.dumps({"domain": DOMAIN, "regions": [WEST], "more": 1})

    assert NamesAddress.from_json(text) == NamesAddress(domain=DOMAIN, regions=[WEST])


def test_who_may_look_may_change_nothing() -> None:
    granted = a_region("grant_status")

    assert granted.actions() == {
        "cloudwatch:DescribeAlarms",
        "dynamodb:GetItem",
        "kms:Decrypt",
        "ssm:GetParameter",
    }


def test_people_reach_their_own_region_and_name_only(drains: Granted) -> None:
    (table,) = (name for name, one in drains.resources.items() if one["Type"] == "AWS::DynamoDB::Table")

    assert drains.allows("ssm:GetParameter") == [_arn("ssm", "parameter/mlplatform/regions/models.example.com")]
    assert drains.allows("cloudwatch:DescribeAlarms") == [_arn("cloudwatch", f"alarm:{PLAN.alarm_name('eu-west-1')}")]
    for action in ("dynamodb:GetItem", "dynamodb:UpdateItem"):
        assert drains.allows(action) == [{"Fn::GetAtt": [table, "Arn"]}]


def test_people_reach_the_plans_switches_only(names: Granted) -> None:
    controls = [name for name, one in names.resources.items() if one["Type"].endswith("::RoutingControl")]
    arns = [{"Fn::GetAtt": [name, "RoutingControlArn"]} for name in controls]

    assert len(controls) == 2
    for action in ("GetRoutingControlState", "UpdateRoutingControlState"):
        assert names.allows(f"route53-recovery-cluster:{action}") == arns
    for kind in ("Cluster", "ControlPanel"):
        (made,) = (name for name, one in names.resources.items() if one["Type"].endswith(f"::{kind}"))
        asked = names.allows(f"route53-recovery-control-config:Describe{kind}")
        assert asked == [{"Fn::GetAtt": [made, f"{kind}Arn"]}]


class Calls:
    """What the verbs ask of AWS, by region."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: set[tuple[str, str]] = set()
        make = place.client

        def client(service: str, region: str | None) -> Any:
            made = make(service, region)
            made.meta.events.register("before-call", self._note, unique_id="calls")
            return made

        monkeypatch.setattr(place, "client", client)

    def _note(self, model: Any, context: dict[str, Any], **_: Any) -> None:
        region = context["client_region"]
        self.made.add((region, f"{model.service_model.signing_name}:{model.name}"))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    with clients(), two_regions(monkeypatch):
        yield Calls(monkeypatch)


# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html: "No permissions are required"
FREE = "sts:GetCallerIdentity"


def test_the_grants_suffice_for_all_that_the_verbs_ask_and_hold_no_more(
    drains: Granted, names: Granted, calls: Calls
) -> None:
    for verb in (("drain", WEST, DOMAIN, "--reason", "r"), ("status", DOMAIN), ("restore", WEST, DOMAIN)):
        assert run(*verb).exit_code == 0

    by_keys = {action for action in drains.actions() if action.startswith("kms:")}  # asked by DynamoDB
    asked = {action.replace("monitoring:", "cloudwatch:") for region, action in calls.made if region == WEST} - {FREE}
    assert asked == drains.actions() - by_keys
    assert {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"} <= by_keys
    elsewhere = {action.replace("monitoring:", "cloudwatch:") for region, action in calls.made if region == EAST}
    assert elsewhere == a_region("grant_status").actions() - {"kms:Decrypt"}
    assert "ssm:GetParameter" in names.actions()  # of the names, which are in the same region here


def _arn(service: str, resource: str) -> Any:
    return {
        "Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":{service}:eu-west-1:123456789012:{resource}"]],
    }

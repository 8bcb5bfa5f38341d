"""What stands between callers inside and the endpoint?"""

import json
import re
from typing import Any

import pytest
from aws_cdk import App, Environment

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import PlatformStack
from mlplatform_cdk.routing import GlobalNames, HostedZoneReference, InternalApi, MultiRegionEndpoint, PrivateLink
from mlplatform_cdk.routing.internal_api import construct
from mlplatform_cdk.routing.regional_api import Authorization
from tests import linting
from tests.routing.internal_api.conftest import ROOT, Inside

BALANCER, GROUP = "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancingV2::TargetGroup"
PUBLIC = HostedZoneReference(hosted_zone_id="Z0PUBLIC", zone_name="example.com")
PRIVATE = HostedZoneReference(hosted_zone_id="Z0PRIVATE", zone_name="example.com", private=True)


def attributes(balancer: dict[str, Any]) -> dict[str, Any]:
    return {one["Key"]: one["Value"] for one in balancer["LoadBalancerAttributes"]}


def of_kind(kind: str) -> Any:
    return lambda one: one.get("Type", one.get("TargetType")) == kind


def test_the_program_of_the_page_has_no_findings(inside: Inside) -> None:
    assert "Inside/Unchecked" in inside.findings  # the packs have looked
    for part in ("/Api", "/Probe", "/Features", "/Database"):
        assert f"Inside{part}" not in inside.findings
    assert linting.findings(inside.template, "eu-west-1") == []


def test_the_load_balancer_is_inside_speaks_tls_logs_and_keeps_the_host_that_callers_sign(inside: Inside) -> None:
    balancer = inside.only(BALANCER, of_kind("application"))
    listener = inside.only("AWS::ElasticLoadBalancingV2::Listener", lambda one: one["Protocol"] == "HTTPS")
    set_to = attributes(balancer)

    assert balancer["Scheme"] == "internal"
    assert set_to["access_logs.s3.enabled"] == set_to["deletion_protection.enabled"] == "true"
    assert set_to["routing.http.preserve_host_header.enabled"] == "true"
    assert listener["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2")
    assert "AWS::ElasticLoadBalancingV2::ListenerRule" not in inside.text


def test_the_logs_bucket_lets_load_balancers_of_this_account_write_before_one_stands(inside: Inside) -> None:
    (policy,) = [
        (name, statement)
        for name, one in inside.resources.items()
        if one["Type"] == "AWS::S3::BucketPolicy"
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
        if statement.get("Sid") == "LoadBalancersOfThisAccount"
    ]
    (stands,) = [
        one
        for one in inside.resources.values()
        if one["Type"] == BALANCER and one["Properties"]["Type"] == "application"
    ]

    assert policy[1]["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert "load-balancers/AWSLogs/123456789012/*" in json.dumps(policy[1]["Resource"])
    assert policy[0] in stands["DependsOn"]


def test_it_leads_to_the_addresses_of_the_apis_own_endpoint_in_each_subnet(inside: Inside) -> None:
    targets = inside.only(GROUP, of_kind("ip"))
    door = inside.only("AWS::EC2::VPCEndpoint", lambda one: str(one["ServiceName"]).endswith(".execute-api"))
    found = inside.only("Custom::EndpointAddresses")

    assert door["PrivateDnsEnabled"] is False
    assert len(targets["Targets"]) == len(door["SubnetIds"]) == 2
    assert {one["Id"]["Fn::GetAtt"][1] for one in targets["Targets"]} == {"Address0", "Address1"}
    assert found["NetworkInterfaceIds"]["Fn::GetAtt"][1] == "NetworkInterfaceIds"


def test_the_api_is_private_and_takes_nothing_but_by_that_endpoint(inside: Inside) -> None:
    api = inside.only("AWS::ApiGateway::RestApi")
    everyone, elsewhere = api["Policy"]["Statement"]
    method = inside.only(
        "AWS::ApiGateway::Method", lambda one: one["Integration"].get("Type") == "AWS" and one["HttpMethod"] == "POST"
    )

    assert api["EndpointConfiguration"] == {"IpAddressType": "dualstack", "Types": ["PRIVATE"]}
    assert api["DisableExecuteApiEndpoint"] is True
    assert everyone["Resource"] == "execute-api:/*/GET/health"  # who may ask for predictions, his own policy says
    assert elsewhere["Effect"] == "Deny"
    assert "Ref" in elsewhere["Condition"]["StringNotEquals"]["aws:SourceVpce"]
    assert "runtime.sagemaker:path/endpoints/churn/invocations" in json.dumps(method["Integration"]["Uri"])


def test_both_names_are_the_apis_and_lead_to_the_load_balancer_in_the_private_zone(inside: Inside) -> None:
    domains = inside.of_type("AWS::ApiGateway::DomainNameV2")
    records = [one for one in inside.of_type("AWS::Route53::RecordSet") if one["Type"] == "A"]

    assert {one["DomainName"] for one in domains} == {"models.example.com", "eu-west-1.models.example.com"}
    assert len(inside.of_type("AWS::ApiGateway::DomainNameAccessAssociation")) == 2
    assert {one["Name"]: one["HostedZoneId"] for one in records} == {
        "eu-west-1.models.example.com.": "Z0PRIVATE",
        "eu-west-1.target.models.example.com.": "Z0PRIVATE",
    }


def test_security_groups_let_each_step_in_from_the_one_before_alone(inside: Inside) -> None:
    def group(part: str) -> str:
        (name,) = [
            name
            for name, one in inside.resources.items()
            if one["Type"] == "AWS::EC2::SecurityGroup" and part in one["Properties"]["GroupDescription"]
        ]
        return name

    door, balancer, front = group("door"), group("Internal callers"), group("PrivateLink")
    entries = {
        (one["GroupId"]["Fn::GetAtt"][0], one["SourceSecurityGroupId"]["Fn::GetAtt"][0], one.get("FromPort"))
        for one in inside.of_type("AWS::EC2::SecurityGroupIngress")
    }

    assert {entry for entry in entries if entry[0] in {door, balancer, front}} == {
        (door, balancer, 443),
        (balancer, front, 443),
        (balancer, group("jobs"), 443),  # the probe's
    }
    leaving = {
        (one["GroupId"]["Fn::GetAtt"][0], one["DestinationSecurityGroupId"]["Fn::GetAtt"][0], one["FromPort"])
        for one in inside.of_type("AWS::EC2::SecurityGroupEgress")
        if "FromPort" in one
    }
    assert (group("Machine learning jobs"), balancer, 443) in leaving  # the probe's way
    assert "SecurityGroupIngress" not in inside.refers(door)
    assert "SecurityGroupIngress" not in inside.refers(front)


def test_the_probe_of_another_region_is_let_in_and_this_ones_may_go_there(inside: Inside) -> None:
    (callers,) = [
        one
        for one in inside.of_type("AWS::EC2::SecurityGroup")
        if one["GroupDescription"] == "Internal callers of models"
    ]
    (jobs,) = [one for one in inside.of_type("AWS::EC2::SecurityGroup") if "learning jobs" in one["GroupDescription"]]

    entries = {
        one["CidrIp"] if isinstance(one["CidrIp"], str) else "the VPC's" for one in callers["SecurityGroupIngress"]
    }
    assert entries == {"the VPC's", "10.1.0.0/16"}
    assert ("10.1.0.0/16", 443) in {(one["CidrIp"], one["FromPort"]) for one in jobs["SecurityGroupEgress"]}


def test_other_vpcs_connect_to_a_service_whose_load_balancer_passes_tls_on(inside: Inside) -> None:
    service, allowed = (inside.only(f"AWS::EC2::VPCEndpointService{more}") for more in ("", "Permissions"))
    front, target = inside.only(BALANCER, of_kind("network")), inside.only(GROUP, of_kind("alb"))

    assert service["AcceptanceRequired"] is True
    assert service["PrivateDnsName"] == "eu-west-1.models.example.com"
    assert allowed["AllowedPrincipals"] == ["arn:aws:iam::210987654321:root"]
    assert front["Scheme"] == "internal"
    assert front["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "off"
    assert (target["Protocol"], target["Port"]) == ("TCP", 443)


def test_the_services_name_is_proved_in_the_public_zone_before_anybody_waits_for_it(inside: Inside) -> None:
    proof = inside.only("AWS::Route53::RecordSet", lambda one: one["Type"] == "TXT")
    (proved,) = [one for one in inside.resources.values() if one["Type"] == "Custom::ProvedName"]

    assert proof["HostedZoneId"] == "Z0PUBLIC"
    assert json.dumps(proof["Name"]["Fn::Join"][1][-1]) == '".eu-west-1.models.example.com."'
    assert any("Proof" in name for name in proved["DependsOn"])


def test_the_web_acl_stands_on_the_load_balancer_without_a_rate_that_callers_would_share(inside: Inside) -> None:
    on = inside.only("AWS::WAFv2::WebACLAssociation")
    rules = inside.only("AWS::WAFv2::WebACL")["Rules"]

    assert inside.refers(on["ResourceArn"]["Ref"])["Type"] == "application"
    assert not [one for one in rules if "RateBasedStatement" in one["Statement"]]


def test_the_probe_stands_in_the_vpc_and_may_ask_the_api(inside: Inside) -> None:
    probe = inside.only("AWS::Lambda::Function", lambda one: "health_probe" in one["Handler"])

    assert len(probe["VpcConfig"]["SubnetIds"]) == 2
    assert "execute-api:Invoke" in inside.text


def test_predictions_from_features_are_asked_for_as_the_others_are(inside: Inside) -> None:
    straight, computed = sorted(
        (one for one in inside.of_type("AWS::ApiGateway::Method") if one["HttpMethod"] == "POST"),
        key=lambda one: str(one["Integration"]["Type"]),
    )

    assert (straight["Integration"]["Type"], computed["Integration"]["Type"]) == ("AWS", "AWS_PROXY")
    assert straight["AuthorizationType"] == computed["AuthorizationType"] == "AWS_IAM"
    assert "/POST/predictions" in inside.text


def test_nothing_that_answers_a_request_is_in_another_region(inside: Inside) -> None:
    named = set(re.findall(r"(?:us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d", inside.text))

    assert named == {"eu-west-1"}
    assert "table/churn-prod-customers" in inside.text


def test_the_function_of_features_may_do_what_its_code_calls(inside: Inside) -> None:
    function = inside.only("AWS::Lambda::Function", lambda one: "feature_function" in one["Handler"])
    granted = json.dumps(inside.refers(inside.refers(function["Role"]["Fn::GetAtt"][0])["ManagedPolicyArns"][0]["Ref"]))

    called = {"dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
    assert set(re.findall(r"dynamodb:\w+(?=\")", granted)) == called
    assert "sagemaker:InvokeEndpoint" in granted
    assert "rds-db:connect" in granted
    assert function["Environment"]["Variables"]["DATABASE_HOST"]["Fn::GetAtt"][1] == "ReadEndpoint.Address"
    assert "dynamodb.eu-west-1.*" in granted  # the key, through this region's DynamoDB alone


def test_the_one_name_has_only_records_that_the_load_balancers_can_answer() -> None:
    plan = MultiRegionEndpoint(domain_name="models.example.com", zone=PRIVATE, regions=["eu-west-1", "us-east-1"])
    stack = PlatformStack(App(), "Names", env=Environment(account="123456789012", region="us-east-1"))
    names = GlobalNames(stack, "Names", plan=plan)

    assert {child.node.id for child in names.node.find_child("eu-west-1").node.children} >= {"NearestA", "AlarmCheck"}
    assert names.node.find_child("eu-west-1").node.try_find_child("NearestAAAA") is None


@pytest.mark.parametrize(
    ("zone", "more", "problem"),
    [
        (PUBLIC, {}, "the plan's zone must be private"),
        (PRIVATE, {"public_zone": PRIVATE}, "public_zone must be public"),
        (PRIVATE, {"public_zone": None}, "a certificate, or the public_zone in which one is validated"),
    ],
)
def test_what_could_never_answer_is_refused(zone: HostedZoneReference, more: dict[str, Any], problem: str) -> None:
    plan = MultiRegionEndpoint(domain_name="models.example.com", zone=zone, regions=["eu-west-1"])
    stack = PlatformStack(App(), "Front", env=Environment(account="123456789012", region="eu-west-1"))
    nothing: Any = None
    given = {"endpoint": nothing, "verdicts": nothing, "network": nothing, "key": nothing, "public_zone": PUBLIC}

    with pytest.raises(ConfigurationError, match=problem):
        InternalApi(stack, "Api", plan=plan, **(given | more))


@pytest.mark.parametrize("principals", [[], "arn:aws:iam::210987654321:root", ["210987654321"], ["*"]])
def test_a_service_is_for_somebody_and_never_for_everybody(principals: Any) -> None:
    with pytest.raises(ValueError, match="allowed_principals must be"):
        PrivateLink(allowed_principals=principals)


@pytest.mark.parametrize(
    ("authorization", "accounts", "allowed"),
    [
        (Authorization.iam(), [], {"*": "execute-api:/*/GET/health"}),
        (
            Authorization.iam(),
            ["210987654321"],
            {"*": "execute-api:/*/GET/health", "210987654321": "execute-api:/*/POST/*"},
        ),
        (Authorization.api_key(), ["210987654321"], {"*": "execute-api:/*"}),
    ],
    ids=["signed", "signed, from another account too", "by key"],
)
def test_a_resource_policy_lets_in_nobody_whom_his_own_policies_do_not(
    authorization: Authorization, accounts: list[str], allowed: dict[str, str]
) -> None:
    stack = PlatformStack(App(), "Front")
    statements = stack.resolve(construct._policy(authorization, accounts, "vpce-1"))["Statement"]

    said = {
        (one["Principal"] if one["Principal"] == "*" else re.findall(r"\d{12}", str(one["Principal"]))[0]): one[
            "Resource"
        ]
        for one in statements
        if one["Effect"] == "Allow"
    }
    assert said == allowed
    (denied,) = [one for one in statements if one["Effect"] == "Deny"]
    assert denied["Condition"] == {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}


def test_the_users_folder_goes_into_the_asset_beside_the_runtime(inside: Inside) -> None:
    (asset,) = [folder for folder in inside.template.parent.glob("asset.*") if (folder / "hook").is_dir()]

    assert (asset / "hook" / "features.py").read_text() == (ROOT / "examples" / "features" / "features.py").read_text()
    assert (asset / "mlplatform_cdk" / "routing" / "feature_function" / "runtime" / "handler.py").is_file()
    assert not (asset / "mlplatform_cdk" / "routing" / "__init__.py").exists()

"""What can jobs in the network reach?"""

from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App, Environment
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Match, Template

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import JobNetwork, Network, PlatformStack


@pytest.fixture
def stack() -> PlatformStack:
    return PlatformStack(App(), "Foundation", env=Environment(account="123456789012", region="us-east-1"))


def job_group(stack: PlatformStack) -> Mapping[str, Any]:
    groups = Template.from_stack(stack).find_resources("AWS::EC2::SecurityGroup")
    (group,) = (group for id_, group in groups.items() if "JobGroup" in id_)
    return group["Properties"]["SecurityGroupEgress"]


def test_nothing_can_reach_the_internet_by_default(stack: PlatformStack) -> None:
    Network(stack, "Network")

    template = Template.from_stack(stack)
    for type_ in ("InternetGateway", "NatGateway", "EIP"):
        template.resource_count_is(f"AWS::EC2::{type_}", 0)
    template.all_resources_properties("AWS::EC2::Subnet", {"MapPublicIpOnLaunch": False})


def test_jobs_reach_only_the_gateway_endpoints_and_the_interface_endpoints(stack: PlatformStack) -> None:
    Network(stack, "Network", gateway_prefix_lists=["pl-63a5400a"])

    (rule,) = job_group(stack)
    assert rule["DestinationPrefixListId"] == "pl-63a5400a"
    Template.from_stack(stack).has_resource_properties(
        "AWS::EC2::SecurityGroupEgress",
        {
            "FromPort": 443,
            "DestinationSecurityGroupId": {"Fn::GetAtt": [Match.string_like_regexp("EndpointGroup"), "GroupId"]},
        },
    )


def test_without_known_prefix_lists_the_routes_alone_hold_jobs_back(stack: PlatformStack) -> None:
    Network(stack, "Network")

    (rule,) = job_group(stack)
    assert (rule["CidrIp"], rule["FromPort"], rule["ToPort"]) == ("0.0.0.0/0", 443, 443)


def test_a_nat_gateway_is_the_callers_wish(stack: PlatformStack) -> None:
    Network(stack, "Network", nat_gateways=1, gateway_prefix_lists=["pl-63a5400a"])

    Template.from_stack(stack).resource_count_is("AWS::EC2::NatGateway", 1)
    assert job_group(stack)[0]["CidrIp"] == "0.0.0.0/0"


def test_the_hosts_of_one_job_reach_each_other(stack: PlatformStack) -> None:
    Network(stack, "Network")

    itself = {"Fn::GetAtt": [Match.string_like_regexp("JobGroup"), "GroupId"]}
    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::EC2::SecurityGroupIngress", {"IpProtocol": "-1", "GroupId": itself, "SourceSecurityGroupId": itself}
    )
    template.has_resource_properties(
        "AWS::EC2::SecurityGroupEgress", {"IpProtocol": "-1", "GroupId": itself, "DestinationSecurityGroupId": itself}
    )


def test_which_services_have_an_endpoint_is_the_callers_choice(stack: PlatformStack) -> None:
    Network(stack, "Network", interface_services=["sts", "studio"])

    endpoints = Template.from_stack(stack).find_resources(
        "AWS::EC2::VPCEndpoint", {"Properties": {"VpcEndpointType": "Interface"}}
    )
    assert {endpoint["Properties"]["ServiceName"] for endpoint in endpoints.values()} == {
        "com.amazonaws.us-east-1.sts",
        "aws.sagemaker.us-east-1.studio",
    }


@pytest.mark.parametrize("zones", [2, 3])
def test_jobs_stand_in_each_zone(stack: PlatformStack, zones: int) -> None:
    network = Network(stack, "Network", zones=zones)

    assert len(network.job_network.subnet_ids) == zones


@pytest.mark.parametrize("zones", [1, 4])
def test_one_zone_is_too_few_and_four_are_too_many(stack: PlatformStack, zones: int) -> None:
    with pytest.raises(ConfigurationError, match=rf"\[Foundation/Network\] zones must be 2 or 3, got {zones}"):
        Network(stack, "Network", zones=zones)


def test_services_in_one_text_are_refused(stack: PlatformStack) -> None:
    with pytest.raises(ConfigurationError, match=r"interface_services must be a list, got 'kms'; try \['kms'\]"):
        Network(stack, "Network", interface_services="kms")


def test_all_traffic_is_logged(stack: PlatformStack) -> None:
    Network(stack, "Network")

    Template.from_stack(stack).has_resource_properties("AWS::EC2::FlowLog", {"TrafficType": "ALL"})


def existing_vpc(stack: PlatformStack, **subnets: list[str]) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack, "Theirs", vpc_id="vpc-1", availability_zones=["us-east-1a", "us-east-1b"], **subnets
    )


def test_an_existing_vpc_gets_a_security_group_for_jobs_and_nothing_else(stack: PlatformStack) -> None:
    vpc = existing_vpc(stack, private_subnet_ids=["subnet-1", "subnet-2"])

    network = Network.from_vpc(stack, "Network", vpc=vpc)

    assert network.job_network.subnet_ids == ("subnet-1", "subnet-2")
    types = {resource["Type"] for resource in Template.from_stack(stack).to_json()["Resources"].values()}
    assert types == {f"AWS::EC2::SecurityGroup{suffix}" for suffix in ("", "Egress", "Ingress")}


def test_a_vpc_without_private_subnets_is_refused(stack: PlatformStack) -> None:
    vpc = existing_vpc(stack, public_subnet_ids=["subnet-1", "subnet-2"])

    with pytest.raises(ConfigurationError, match="the VPC must have private subnets for jobs, got none"):
        Network.from_vpc(stack, "Network", vpc=vpc)


def test_a_job_network_needs_a_subnet_and_a_group() -> None:
    with pytest.raises(ValueError, match="at least one subnet and one security group, got 0 and 1"):
        JobNetwork(subnet_ids=(), security_group_ids=("sg-1",))

"""Does a container get what it needs in the network, and nothing outside of it?"""

from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template

from mlplatform_cdk.foundation import JobNetwork, SageMakerRole

EC2 = "arn:aws:ec2:eu-west-1:111122223333"


def resources_by_action(network: JobNetwork | None) -> Mapping[str, set[str]]:
    app = App(context={"@aws-cdk/core:enablePartitionLiterals": True})
    stack = Stack(app, "Stack", env=Environment(account="111122223333", region="eu-west-1"))
    SageMakerRole(
        stack, "Role", description="Runs it.", log_groups=["Models"], metric_namespaces="/aws/*", network=network
    )
    (policy,) = Template.from_stack(stack).find_resources("AWS::IAM::ManagedPolicy").values()
    found: dict[str, set[str]] = {}
    for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
        for action in as_list(statement["Action"]):
            found.setdefault(action, set()).update(as_list(statement["Resource"]))
    return {action.removeprefix("ec2:"): names for action, names in found.items() if action.startswith("ec2:")}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("owner", [None, "444455556666"])
def test_interfaces_are_made_in_the_networks_subnets_and_groups_only(owner: str | None) -> None:
    network = JobNetwork(subnet_ids=("subnet-1", "subnet-2"), security_group_ids=("sg-1",), subnet_account=owner)
    subnets = f"arn:aws:ec2:eu-west-1:{owner or '111122223333'}:subnet"

    granted = resources_by_action(network)

    assert granted["CreateNetworkInterface"] == {
        f"{EC2}:network-interface/*",
        f"{EC2}:security-group/sg-1",
        f"{subnets}/subnet-1",
        f"{subnets}/subnet-2",
    }
    assert granted["DeleteNetworkInterface"] == {f"{EC2}:network-interface/*"}
    assert {action for action, names in granted.items() if "*" in names} == {
        "DescribeDhcpOptions",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeVpcs",
    }


def test_a_container_outside_the_accounts_networks_gets_nothing_of_ec2() -> None:
    assert resources_by_action(None) == {}

"""What happens between machines: subnets cut off, an interface endpoint gone, packets that come late."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from mlplatform_cdk.core import Access, account_of, allowed, arn_of
from mlplatform_cdk.resilience.chaos.fault import Action, Fault, Injection, Target, iso, require_percent

_MOST_SUBNETS = 5  # https://docs.aws.amazon.com/fis/latest/APIReference/API_CreateExperimentTemplateTargetInput.html
_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_HALF_A_SECOND, _TENTH = timedelta(milliseconds=500), timedelta(milliseconds=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneLost(Fault):
    """Subnets lose their network, as those of one availability zone do when it fails: ``disrupt-connectivity``.

    Machines of one subnet still reach one another.

    :param subnets: at most five.
    """

    subnets: Sequence[ec2.ISubnet]

    def __post_init__(self) -> None:
        """Refuse what AWS FIS refuses."""
        Fault.__post_init__(self)
        if not 0 < len(self.subnets) <= _MOST_SUBNETS:
            raise ValueError(f"subnets must be 1 to {_MOST_SUBNETS}, got {len(self.subnets)}")

    @property
    def sentence(self) -> str:
        """What it does."""
        return f"Cuts {len(self.subnets)} subnets off"

    def define(self, scope: Construct) -> Injection:
        """Name the subnets."""
        arns = [arn_of(scope, "ec2", f"subnet/{subnet.subnet_id}") for subnet in self.subnets]
        return Injection(
            Action(
                action_id="aws:network:disrupt-connectivity",
                description=self.sentence,
                parameters={"duration": iso(self.lasts), "scope": "all"},
                targets={"Subnets": "Subnets"},
            ),
            [_cutting_off(scope, arns)],
            {"Subnets": Target(resource_type="aws:ec2:subnet", resource_arns=arns, selection_mode="ALL")},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkLatency(Fault):
    """Packets of callers on ECS to a region's names come late: ``aws:ecs:task-network-latency``.

    It is the network between a caller and the region that is slow, and AWS FIS can slow it only where it has a hand:
    in tasks of ECS (here), on instances of EC2 and in pods of EKS. It has none between API Gateway and SageMaker, nor
    in SageMaker's own machines; so the region's probe sees nothing of this, and what is tried are the callers: their
    deadlines, and that the client helper goes to the other region. For what runs before the model in a function, see
    ``LambdaLatency``.

    The tasks' definition needs ``pidMode`` ``task``, ``enableFaultInjection``, a network mode other than ``bridge`` and
    the agent of Systems Manager beside the caller's container. Only IPv4 is slowed, so a caller that prefers IPv6
    notices nothing.
    Source: https://docs.aws.amazon.com/fis/latest/userguide/ecs-task-actions.html

    :param tasks: the tags of the callers' tasks, all of which a task must bear.
    :param to: names that packets go to, such as ``plan.regional_name(region)``.
    :param delay: what each packet takes more, up to a minute; default: 500 ms.
    :param jitter: by how much that varies; default: 100 ms.
    :param percent: of the connections, 1 to 100; default: all.
    """

    tasks: Mapping[str, str]
    to: Sequence[str]
    delay: timedelta = _HALF_A_SECOND
    jitter: timedelta = _TENTH
    percent: int = 100

    def __post_init__(self) -> None:
        """Refuse to slow everybody, everything or nothing."""
        Fault.__post_init__(self)
        require_percent("percent", self.percent)
        if not self.tasks:
            raise ValueError("tasks must name a tag at least, got none; it would slow every task of the account")
        if isinstance(self.to, str) or not self.to or not all(map(_NAME.fullmatch, self.to)):
            raise ValueError(f"to must be a list of domain names, got {self.to!r}")
        if not timedelta(0) < self.delay <= timedelta(minutes=1) or not timedelta(0) <= self.jitter <= self.delay:
            raise ValueError(
                "delay must lie above 0 to a minute, and jitter in 0 to delay, "
                f"got {_ms(self.delay)} and {_ms(self.jitter)} ms"
            )

    @property
    def sentence(self) -> str:
        """What it does."""
        return f"Packets of callers to {', '.join(self.to)} take {_ms(self.delay)} ms more"

    def define(self, scope: Construct) -> Injection:
        """Name the tasks."""
        parameters = {
            "duration": iso(self.lasts),
            "delayMilliseconds": str(_ms(self.delay)),
            "jitterMilliseconds": str(_ms(self.jitter)),
            "flowsPercent": str(self.percent),
            "sources": ",".join(self.to),
            "useEcsFaultInjectionEndpoints": "true",
        }
        target = Target(resource_type="aws:ecs:task", resource_tags={**self.tasks}, selection_mode="ALL")
        return Injection(
            Action(
                action_id="aws:ecs:task-network-latency",
                description=self.sentence,
                parameters=parameters,
                targets={"Tasks": "Tasks"},
            ),
            [_slowing_tasks(scope)],
            {"Tasks": target},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceEndpointLost(Fault):
    """Interface endpoints of a VPC take no packet: ``aws:network:disrupt-vpc-endpoint``.

    For callers inside the VPC, the region's endpoint has stopped: with the interface endpoint of SageMaker's runtime,
    or of ``execute-api``, they reach nothing. AWS FIS puts the security groups back; it cannot where somebody changed
    them meanwhile, so deploy nothing during it.
    Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#disrupt-vpc-endpoint

    :param endpoints: at most five.
    """

    endpoints: Sequence[ec2.IInterfaceVpcEndpoint]

    def __post_init__(self) -> None:
        """Refuse what AWS FIS refuses."""
        Fault.__post_init__(self)
        if not 0 < len(self.endpoints) <= _MOST_SUBNETS:
            raise ValueError(f"endpoints must be 1 to {_MOST_SUBNETS}, got {len(self.endpoints)}")

    @property
    def sentence(self) -> str:
        """What it does."""
        return f"Shuts {len(self.endpoints)} interface endpoints"

    def define(self, scope: Construct) -> Injection:
        """Name the endpoints."""
        arns = [arn_of(scope, "ec2", f"vpc-endpoint/{one.vpc_endpoint_id}") for one in self.endpoints]
        return Injection(
            Action(
                action_id="aws:network:disrupt-vpc-endpoint",
                description=self.sentence,
                parameters={"duration": iso(self.lasts)},
                targets={"VPCEndpoints": "Endpoints"},
            ),
            [_shutting(scope, arns)],
            {"Endpoints": Target(resource_type="aws:ec2:vpc-endpoint", resource_arns=arns, selection_mode="ALL")},
        )


def _cutting_off(scope: Construct, subnets: Sequence[str]) -> Access:
    """What ``disrupt-connectivity`` does: a network ACL of its own in place of the subnets'.

    Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSFaultInjectionSimulatorNetworkAccess.html
    """
    lists, vpcs = arn_of(scope, "ec2", "network-acl/*"), arn_of(scope, "ec2", "vpc/*")
    prefixes = arn_of(scope, "ec2", "prefix-list/*")
    making = {"StringEquals": {"aws:RequestTag/managedByFIS": "true"}}
    made = {"StringEquals": {"ec2:ResourceTag/managedByFIS": "true"}}
    tagging: Any = {"StringEquals": {"aws:RequestTag/managedByFIS": "true", "ec2:CreateAction": "CreateNetworkAcl"}}
    seen = ("DescribeManagedPrefixLists", "DescribeNetworkAcls", "DescribeSubnets", "DescribeVpcs")
    ours = {"StringEquals": {"aws:ResourceAccount": account_of(scope)}}
    return Access(
        [
            allowed(["ec2:CreateTags"], lists, conditions=tagging),
            allowed(["ec2:CreateNetworkAcl"], lists, conditions=making),
            allowed(["ec2:CreateNetworkAcl"], vpcs, conditions=ours),
            allowed(["ec2:CreateNetworkAclEntry", "ec2:DeleteNetworkAcl"], lists, vpcs, conditions=made),
            allowed(["ec2:ReplaceNetworkAclAssociation"], lists, *subnets),
            allowed(["ec2:GetManagedPrefixListEntries"], prefixes),
            allowed([f"ec2:{one}" for one in seen], "*"),
        ],
        patterns={
            lists: "AWS FIS makes an ACL, and puts the former one back",
            vpcs: "an ACL is made in the subnets' VPC, which a subnet does not name",
            prefixes: "AWS FIS reads the lists that the former ACL may name",
            "*": "EC2 describes without resources",
        },
    )


def _slowing_tasks(scope: Construct) -> Access:
    """What ``task-network-latency`` asks for, in the form of AWS's own policy.

    Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSFaultInjectionSimulatorECSAccess.html
    """
    tasks, machines = arn_of(scope, "ecs", "task/*/*"), arn_of(scope, "ecs", "container-instance/*/*")
    agents = arn_of(scope, "ssm", "managed-instance/*")
    document = arn_of(scope, "ssm", "document/AWSFIS-Run-Network-Latency-ECS", account="")
    looks = ["ec2:DescribeInstances", "ec2:DescribeSubnets", "ssm:CancelCommand", "ssm:ListCommands"]
    return Access(
        [
            allowed(["ecs:DescribeTasks"], tasks),
            allowed(["ecs:DescribeContainerInstances"], machines),
            allowed(["ssm:SendCommand"], agents, document),
            allowed([*looks, "tag:GetResources"], "*"),
        ],
        patterns={
            tasks: "tasks come and go; a tag chooses them",
            machines: "a task is on any of them",
            agents: "each task registers an agent of its own",
            "*": "these take no resource",
        },
    )


def _shutting(scope: Construct, endpoints: Sequence[str]) -> Access:
    """What ``disrupt-vpc-endpoint`` does: a security group of its own, without rules, in place of the endpoints'."""
    groups, vpcs = arn_of(scope, "ec2", "security-group/*"), arn_of(scope, "ec2", "vpc/*")
    making = {"StringEquals": {"aws:RequestTag/managedByFIS": "true"}}
    made = {"StringEquals": {"ec2:ResourceTag/managedByFIS": "true"}}
    tagging: Any = {"StringEquals": {"aws:RequestTag/managedByFIS": "true", "ec2:CreateAction": "CreateSecurityGroup"}}
    ours = {"StringEquals": {"aws:ResourceAccount": account_of(scope)}}
    return Access(
        [
            allowed(["ec2:CreateTags"], groups, conditions=tagging),
            allowed(["ec2:CreateSecurityGroup"], groups, conditions=making),
            allowed(["ec2:CreateSecurityGroup"], vpcs, conditions=ours),
            allowed(["ec2:DeleteSecurityGroup", "ec2:RevokeSecurityGroupEgress"], groups, conditions=made),
            allowed(["ec2:ModifyVpcEndpoint"], *endpoints, groups),
            allowed(["ec2:DescribeSecurityGroups", "ec2:DescribeVpcEndpoints"], "*"),
        ],
        patterns={
            groups: "AWS FIS makes a group, and puts the former ones back",
            vpcs: "a group is made in the endpoints' VPC, which an endpoint does not name",
            "*": "EC2 describes without resources",
        },
    )


def _ms(length: timedelta) -> int:
    return length // timedelta(milliseconds=1)

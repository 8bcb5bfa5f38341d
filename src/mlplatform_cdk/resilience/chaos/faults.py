"""What can be broken: natively where AWS FIS can, by a document of ours where it cannot.

AWS FIS has no action for endpoints of SageMaker or for API Gateway: ``aws:fis:inject-api-throttle-error`` and its like
reach calls to the API of EC2 (and Kinesis) alone.
Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_fis as fis
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    account_of,
    allowed,
    arn_of,
    partition_of,
    region_of,
    stack_of,
)
from mlplatform_cdk.resilience.chaos.automation import Automation
from mlplatform_cdk.resilience.chaos.documents import breaking, mending
from mlplatform_cdk.routing.regional_api import RegionalApi
from mlplatform_cdk.serving import Endpoint

TEN_MINUTES = timedelta(minutes=10)
_MINUTE, _LONGEST = timedelta(minutes=1), timedelta(hours=11)  # of the twelve that an action may last
_STARTING = timedelta(minutes=15)  # what it takes besides, before and after
_MOST_SUBNETS = 5  # https://docs.aws.amazon.com/fis/latest/APIReference/API_CreateExperimentTemplateTargetInput.html

_Action = fis.CfnExperimentTemplate.ExperimentTemplateActionProperty
_Target = fis.CfnExperimentTemplate.ExperimentTemplateTargetProperty


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault as a template has it: its action, its targets, and what the experiment's role may do for it."""

    action: _Action
    access: Sequence[Access]
    targets: Mapping[str, _Target] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(ABC):
    """Something that breaks for a while, and is mended; see ``CapacityLost``, ``ApiThrottled`` and ``ZoneLost``.

    :param lasts: how long, in whole minutes up to eleven hours; default: 10 minutes.
    """

    lasts: timedelta = TEN_MINUTES

    def __post_init__(self) -> None:
        """Refuse what AWS FIS refuses."""
        if self.lasts % _MINUTE or not _MINUTE <= self.lasts <= _LONGEST:
            raise ValueError(f"lasts must be whole minutes, 1 to 660, got {self.lasts}")

    @property
    @abstractmethod
    def sentence(self) -> str:
        """What it does."""

    @abstractmethod
    def define(self, scope: Construct) -> Injection:
        """Make in ``scope`` what the fault needs."""

    def _by_documents(
        self, scope: Construct, script: str, *, given: Mapping[str, str], kept: Sequence[str], access: Access
    ) -> Injection:
        """A fault of two documents of ours, which is mended whether the experiment ends, fails or is stopped."""
        mender = Automation(
            scope, "Mend", content=mending(script, given=given, kept=kept), sentence="Mends it", access=[access]
        )
        breaker = Automation(
            scope,
            "Break",
            content=breaking(
                script,
                given=given,
                kept=kept,
                lasts=_iso(self.lasts),
                mending=mender.name,
                mending_role=mender.role.role_arn,
            ),
            sentence=self.sentence,
            access=[access, mender.starting()],
        )
        action = _Action(
            action_id="aws:ssm:start-automation-execution",
            description=self.sentence,
            parameters={
                "documentArn": arn_of(scope, "ssm", f"document/{breaker.name}"),
                "documentParameters": stack_of(scope).to_json_string({"AutomationAssumeRole": breaker.role.role_arn}),
                "maxDuration": _iso(self.lasts + _STARTING),
            },
        )
        return Injection(action, [breaker.starting(watches=True)])


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityLost(Fault):
    """An endpoint loses instances, of the variant that most requests go to; scaling may bring them back, or more.

    :param endpoint: on instances; it must have more than are left, or the experiment fails and breaks nothing.
    :param instances_left: default: one.
    """

    endpoint: Endpoint
    instances_left: int = 1

    def __post_init__(self) -> None:
        """Refuse to leave none: SageMaker keeps one."""
        Fault.__post_init__(self)
        if self.instances_left < 1:
            raise ValueError(f"instances_left must be at least 1, got {self.instances_left}")

    @property
    def sentence(self) -> str:
        """What it does."""
        return f"Leaves {self.instances_left} of the endpoint's instances"

    def define(self, scope: Construct) -> Injection:
        """Make the document and its role."""
        actions = ["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"]
        return self._by_documents(
            scope,
            "capacity",
            given={"EndpointName": self.endpoint.endpoint_name, "InstancesLeft": str(self.instances_left)},
            kept=["VariantName", "InstanceCount"],
            access=Access([allowed(actions, self.endpoint.endpoint_arn)]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiThrottled(Fault):
    """A region's API lets fewer requests through, or none, which is a region lost to its callers.

    ``/health`` is throttled with the rest, as it would be: Route 53 sees the region go.

    :param api: of the region.
    :param rate: requests a second that pass; default: none.
    :param burst: requests that pass at once; default: none.
    """

    api: RegionalApi
    rate: int = 0
    burst: int = 0

    @property
    def sentence(self) -> str:
        """What it does."""
        return f"Lets {self.rate} requests a second through the region's API"

    def define(self, scope: Construct) -> Injection:
        """Make the document and its role."""
        api, stage = self.api.api.rest_api_id, self.api.api.deployment_stage.stage_name
        arn = f"arn:{partition_of(scope)}:apigateway:{region_of(scope)}::/restapis/{api}/stages/{stage}"
        return self._by_documents(
            scope,
            "throttle",
            given={"RestApiId": api, "StageName": stage, "Rate": str(self.rate), "Burst": str(self.burst)},
            kept=["FormerRate", "FormerBurst"],
            access=Access([allowed(["apigateway:GET", "apigateway:PATCH"], arn)]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneLost(Fault):
    """Subnets lose their network, as those of one availability zone do when it fails: ``disrupt-connectivity``.

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
            _Action(
                action_id="aws:network:disrupt-connectivity",
                description=self.sentence,
                parameters={"duration": _iso(self.lasts), "scope": "all"},
                targets={"Subnets": "Subnets"},
            ),
            [_cutting_off(scope, arns)],
            {"Subnets": _Target(resource_type="aws:ec2:subnet", resource_arns=arns, selection_mode="ALL")},
        )


def _cutting_off(scope: Construct, subnets: Sequence[str]) -> Access:
    """What ``disrupt-connectivity`` does: a network ACL of its own in place of the subnets'.

    Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSFaultInjectionSimulatorNetworkAccess.html
    """
    lists, vpcs = arn_of(scope, "ec2", "network-acl/*"), arn_of(scope, "ec2", "vpc/*")
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
            allowed([f"ec2:{one}" for one in seen], "*"),
        ],
        patterns={
            lists: "AWS FIS makes an ACL, and puts the former one back",
            vpcs: "an ACL is made in the subnets' VPC, which a subnet does not name",
            "*": "EC2 describes without resources",
        },
    )


def _iso(length: timedelta) -> str:
    return f"PT{length // _MINUTE}M"

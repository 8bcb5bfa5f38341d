"""The actions of AWS FIS that faults use, as its documentation has them.

Read on 2026-11-22 in a copy of https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html; how a
template names an action's targets, in https://docs.aws.amazon.com/fis/latest/userguide/action-sequence.html. None of it
is in botocore's model, which takes any text as an action's id and any parameters.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """One action.

    :param needs: parameters that must be given.
    :param takes: parameters that may be given besides.
    :param target: the name under which its targets are given; default: it has none.
    :param resource: their type.
    :param permissions: what the experiment's role needs.
    """

    needs: AbstractSet[str]
    takes: AbstractSet[str] = field(default_factory=frozenset)
    target: str = ""
    resource: str = ""
    permissions: AbstractSet[str]


_LAMBDA = frozenset({"s3:PutObject", "s3:DeleteObject", "lambda:GetFunction", "tag:GetResources"})

ACTIONS = {
    "aws:lambda:invocation-add-delay": Documented(
        needs={"duration"},
        takes={"invocationPercentage", "startupDelayMilliseconds"},
        target="Functions",
        resource="aws:lambda:function",
        permissions=_LAMBDA,
    ),
    "aws:lambda:invocation-error": Documented(
        needs={"duration", "preventExecution"},
        takes={"invocationPercentage"},
        target="Functions",
        resource="aws:lambda:function",
        permissions=_LAMBDA,
    ),
    "aws:network:disrupt-connectivity": Documented(
        needs={"duration", "scope"},
        takes={"prefixListIdentifier"},
        target="Subnets",
        resource="aws:ec2:subnet",
        permissions={
            "ec2:CreateNetworkAcl",
            "ec2:CreateNetworkAclEntry",
            "ec2:CreateTags",
            "ec2:DeleteNetworkAcl",
            "ec2:DescribeManagedPrefixLists",
            "ec2:DescribeNetworkAcls",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
            "ec2:GetManagedPrefixListEntries",
            "ec2:ReplaceNetworkAclAssociation",
        },
    ),
    "aws:network:disrupt-vpc-endpoint": Documented(
        needs={"duration"},
        target="VPCEndpoints",
        resource="aws:ec2:vpc-endpoint",
        # vpce:AllowMultiRegion is for endpoints of other regions.
        permissions={
            "ec2:CreateSecurityGroup",
            "ec2:CreateTags",
            "ec2:DeleteSecurityGroup",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeVpcEndpoints",
            "ec2:ModifyVpcEndpoint",
            "ec2:RevokeSecurityGroupEgress",
        },
    ),
    "aws:ecs:task-network-latency": Documented(
        needs={"duration"},
        takes={
            "delayMilliseconds",
            "flowsPercent",
            "installDependencies",
            "jitterMilliseconds",
            "sources",
            "useEcsFaultInjectionEndpoints",
        },
        target="Tasks",
        resource="aws:ecs:task",
        permissions={
            "ec2:DescribeInstances",
            "ec2:DescribeSubnets",
            "ecs:DescribeContainerInstances",
            "ecs:DescribeTasks",
            "ssm:CancelCommand",
            "ssm:ListCommands",
            "ssm:SendCommand",
        },
    ),
    "aws:ssm:start-automation-execution": Documented(
        needs={"documentArn", "maxDuration"},
        takes={"documentParameters", "documentVersion"},
        permissions={
            "iam:PassRole",  # where the document assumes a role, as ours do
            "ssm:GetAutomationExecution",
            "ssm:StartAutomationExecution",
            "ssm:StopAutomationExecution",
        },
    ),
}

# Actions of Systems Manager whose pages say that onCancel is not supported: automation-action-loop and
# automation-action-update-variable, of https://docs.aws.amazon.com/systems-manager/latest/userguide/.
WITHOUT_ON_CANCEL = {"aws:loop", "aws:updateVariable"}
# What AWS's own documents for experiments give an onCancel: github.com/aws-samples/fis-template-library.
WITH_ON_CANCEL = {"aws:executeScript", "aws:sleep"}

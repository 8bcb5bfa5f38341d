"""How policies keep to the scalable targets of one owner, whose ids AWS chooses.

The condition keys are those that AWS's service authorization reference has for each action. A target's tags are told
of one that is there, and may be told of one that is being made with tags, so that each statement but the last holds
where there are none: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from collections.abc import Mapping

from mlplatform_cdk.core.access import Statement, allowed
from mlplatform_cdk.runtimekit.scalable_targets import OWNER_TAG

_OF = f"aws:ResourceTag/{OWNER_TAG}"
_VARIANTS = {
    "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
    "application-autoscaling:service-namespace": "sagemaker",
}
WHY_ANY_TARGET = (
    "scalable targets have ids that AWS chooses; the conditions keep to one owner's, of SageMaker's variants"
)


def scaling(targets: str, *, owner: str) -> list[Statement]:
    """Let a role register the variants of ``owner``, scale them, and take them out again.

    :param targets: the ARN of all scalable targets, with a star.
    :param owner: what the tag of its targets says.
    """
    return [
        allowed(
            ["application-autoscaling:PutScalingPolicy", "application-autoscaling:RegisterScalableTarget"],
            targets,
            conditions=changing(owner),
        ),
        *taking_out(targets, owner=owner),
    ]


def changing(owner: str) -> Mapping[str, Mapping[str, str]]:
    """The conditions under which a role may register a variant of ``owner``, or change how it scales."""
    return {"StringEquals": _VARIANTS, "StringEqualsIfExists": {_OF: owner}}


def taking_out(targets: str, *, owner: str) -> list[Statement]:
    """Let a role take the variants of ``owner`` out of scaling, those without a tag after it gave them the owner's.

    :param targets: the ARN of all scalable targets, with a star.
    :param owner: what the tag of its targets says.
    """
    return [
        allowed(["application-autoscaling:ListTagsForResource"], targets),
        allowed(
            ["application-autoscaling:TagResource"],
            targets,
            conditions={
                "StringEquals": {f"aws:RequestTag/{OWNER_TAG}": owner},
                "ForAllValues:StringEquals": {"aws:TagKeys": OWNER_TAG},
                "StringEqualsIfExists": {_OF: owner},
            },
        ),
        allowed(
            ["application-autoscaling:DeregisterScalableTarget"],
            targets,
            conditions={"StringEquals": {**_VARIANTS, _OF: owner}},
        ),
    ]


def behind_scaling(*, endpoint: str, configurations: str, alarms: str) -> list[Statement]:
    """What application auto scaling looks whether the caller may, before it takes a variant's registration or policy.

    https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_id-based-policy-examples.html
    https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html

    :param endpoint: its ARN.
    :param configurations: of its configurations.
    :param alarms: of those by which its variants are scaled.
    """
    return [
        allowed(["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"], alarms),
        allowed(["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"], endpoint),
        allowed(["sagemaker:DescribeEndpointConfig"], configurations),
    ]

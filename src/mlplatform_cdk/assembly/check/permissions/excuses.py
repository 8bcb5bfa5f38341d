"""Permissions that no call in the code shows, and which a role needs all the same."""

from __future__ import annotations

from collections.abc import Iterable

# Whoever makes the first call needs these, too; AWS checks them on the caller's behalf.
_IMPLIED: dict[str, tuple[str, ...]] = {
    # https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_id-based-policy-examples.html
    "application-autoscaling:PutScalingPolicy": (
        "cloudwatch:DescribeAlarms",
        "cloudwatch:PutMetricAlarm",
        "cloudwatch:DeleteAlarms",
    ),
    "application-autoscaling:DeleteScalingPolicy": ("cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms"),
    "application-autoscaling:DeregisterScalableTarget": ("cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms"),
    # https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html
    "application-autoscaling:RegisterScalableTarget": (
        "cloudwatch:DescribeAlarms",
        "cloudwatch:PutMetricAlarm",
        "cloudwatch:DeleteAlarms",
        "iam:CreateServiceLinkedRole",
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:UpdateEndpointWeightsAndCapacities",
        "sagemaker:DescribeInferenceComponent",
        "sagemaker:UpdateInferenceComponentRuntimeConfig",
        "dynamodb:DescribeTable",
        "dynamodb:UpdateTable",
        "ecs:DescribeServices",
        "ecs:UpdateService",
    ),
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/backuprestore_IAM.html
    "dynamodb:RestoreTableToPointInTime": (
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "dynamodb:UpdateItem",
    ),
    # Without it, an absent object is answered with AccessDenied in place of NoSuchKey.
    "s3:GetObject": ("s3:ListBucket", "s3:GetObjectVersion", "s3:GetBucketLocation"),
    "s3:ListBucket": ("s3:GetBucketLocation",),
    "s3:PutObject": ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:ListBucketMultipartUploads"),
    "ecr:GetDownloadUrlForLayer": ("ecr:GetAuthorizationToken",),
    "sagemaker:CreateEndpoint": ("sagemaker:DescribeEndpointConfig",),
}
# A call that makes something may tag it, and a job may run in a network.
_MAKES = ("Create", "Register", "Run", "Start")
_TAGS = ("AddTags", "TagResource", "TagResources")
# Encryption and the service's own bookkeeping.
_SERVICES = ("kms:", "logs:", "xray:")
NETWORK = ("ec2:*NetworkInterface*", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups", "ec2:DescribeVpcs",
           "ec2:DescribeDhcpOptions", "ec2:*PrivateIpAddresses")  # fmt: skip
DEAD_LETTERS = ("sqs:SendMessage", "sns:Publish")
EVENT_SOURCES = (
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "kafka:*",
    "kafka-cluster:*",
    "kinesis:*",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
)


def implied(needed: Iterable[str]) -> set[str]:
    """What ``needed`` actions bring with them."""
    found: set[str] = set()
    for action in needed:
        service, _, name = action.partition(":")
        found.update(_IMPLIED.get(action, ()))
        if name.startswith(_MAKES):
            found.update(f"{service}:{tag}" for tag in _TAGS)
    return found


def of_the_service(action: str) -> bool:
    """Whether nobody calls ``action`` by name: keys, logs and traces are used by AWS for the role."""
    return action.startswith(_SERVICES)

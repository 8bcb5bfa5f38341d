"""Which IAM actions a call takes: its own name in most services, and the exceptions where it is another.

The exceptions come from AWS's service authorization reference:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from mlplatform_cdk.assembly.check.service_model import service_model

# Where a policy's prefix is not the name under which requests are signed.
_PREFIXES = {
    "monitoring": "cloudwatch",
    "iotdata": "iot",
    "email": "ses",
    "cloudcontrolapi": "cloudformation",
}
_S3 = {
    "AbortMultipartUpload": ("AbortMultipartUpload",),
    "CompleteMultipartUpload": ("PutObject",),
    "CopyObject": ("GetObject", "PutObject"),
    "CreateMultipartUpload": ("PutObject",),
    "DeleteBucketCors": ("PutBucketCORS",),
    "DeleteBucketEncryption": ("PutEncryptionConfiguration",),
    "DeleteBucketLifecycle": ("PutLifecycleConfiguration",),
    "DeleteBucketTagging": ("PutBucketTagging",),
    "DeleteObjects": ("DeleteObject",),
    "GetBucketAccelerateConfiguration": ("GetAccelerateConfiguration",),
    "GetBucketCors": ("GetBucketCORS",),
    "GetBucketEncryption": ("GetEncryptionConfiguration",),
    "GetBucketLifecycleConfiguration": ("GetLifecycleConfiguration",),
    "GetBucketNotificationConfiguration": ("GetBucketNotification",),
    "GetBucketReplication": ("GetReplicationConfiguration",),
    "GetObjectLockConfiguration": ("GetBucketObjectLockConfiguration",),
    "GetPublicAccessBlock": ("GetBucketPublicAccessBlock",),
    "HeadBucket": ("ListBucket",),
    "HeadObject": ("GetObject",),
    "ListBuckets": ("ListAllMyBuckets",),
    "ListMultipartUploads": ("ListBucketMultipartUploads",),
    "ListObjectVersions": ("ListBucketVersions",),
    "ListObjects": ("ListBucket",),
    "ListObjectsV2": ("ListBucket",),
    "ListParts": ("ListMultipartUploadParts",),
    "PutBucketAccelerateConfiguration": ("PutAccelerateConfiguration",),
    "PutBucketCors": ("PutBucketCORS",),
    "PutBucketEncryption": ("PutEncryptionConfiguration",),
    "PutBucketLifecycleConfiguration": ("PutLifecycleConfiguration",),
    "PutBucketNotificationConfiguration": ("PutBucketNotification",),
    "PutBucketReplication": ("PutReplicationConfiguration",),
    "PutObjectLockConfiguration": ("PutBucketObjectLockConfiguration",),
    "PutPublicAccessBlock": ("PutBucketPublicAccessBlock",),
    "SelectObjectContent": ("GetObject",),
    "UploadPart": ("PutObject",),
    "UploadPartCopy": ("GetObject", "PutObject"),
}
_EXCEPTIONS: dict[tuple[str, str], tuple[str, ...]] = {
    **{("s3", call): tuple(f"s3:{action}" for action in actions) for call, actions in _S3.items()},
    ("apigatewaymanagementapi", "PostToConnection"): ("execute-api:ManageConnections",),
    ("bedrock-runtime", "Converse"): ("bedrock:InvokeModel",),
    ("bedrock-runtime", "ConverseStream"): ("bedrock:InvokeModelWithResponseStream",),
    ("dynamodb", "ExecuteTransaction"): ("dynamodb:PartiQLSelect",),
    ("dynamodb", "TransactGetItems"): ("dynamodb:GetItem",),
    ("dynamodb", "TransactWriteItems"): ("dynamodb:PutItem",),
    ("lambda", "Invoke"): ("lambda:InvokeFunction",),
    ("lambda", "InvokeAsync"): ("lambda:InvokeFunction",),
    ("lambda", "InvokeWithResponseStream"): ("lambda:InvokeFunction",),
    ("resourcegroupstaggingapi", "GetResources"): ("tag:GetResources",),
    ("resourcegroupstaggingapi", "TagResources"): ("tag:TagResources",),
    ("sns", "PublishBatch"): ("sns:Publish",),
    ("sqs", "ChangeMessageVisibilityBatch"): ("sqs:ChangeMessageVisibility",),
    ("sqs", "DeleteMessageBatch"): ("sqs:DeleteMessage",),
    ("sqs", "SendMessageBatch"): ("sqs:SendMessage",),
    # These need no permission at all.
    ("sts", "GetCallerIdentity"): (),
    ("sts", "GetSessionToken"): (),
}
# What a call may take besides, by what it is given: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
_MAY_TAKE = {
    ("dynamodb", "TransactWriteItems"): ("dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:UpdateItem"),
}
# Several calls of a service whose policies know HTTP methods only.
_BY_METHOD = {"apigateway", "apigatewayv2"}
_VERBS = {"GET": "GET", "POST": "POST", "PUT": "PUT", "PATCH": "PATCH", "DELETE": "DELETE"}


def actions_of(service: str, call: str) -> frozenset[str]:
    """The IAM actions that ``call`` of botocore's ``service`` takes.

    :param call: such as ``ListObjectsV2``.
    """
    if (service, call) in _EXCEPTIONS:
        return frozenset(_EXCEPTIONS[service, call])
    model = service_model(service)
    if service in _BY_METHOD:
        return frozenset({f"apigateway:{_VERBS[model.operation_model(call).http['method']]}"})
    return frozenset({f"{prefix_of(service)}:{call}"})


def may_take(service: str, call: str) -> tuple[str, ...]:
    """The IAM actions that ``call`` takes or not, by what it is given."""
    return _MAY_TAKE.get((service, call), ())


def prefix_of(service: str) -> str:
    """What stands before the colon in a policy."""
    model = service_model(service)
    signing = str(model.signing_name) if model else service
    return _PREFIXES.get(signing, signing)

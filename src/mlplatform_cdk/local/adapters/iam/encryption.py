"""The key behind the data: AWS asks the caller for rights on the customer's key of a bucket, a queue or a topic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.utilities.utils import get_partition

from mlplatform_cdk.local.adapters.iam import arns
from mlplatform_cdk.local.adapters.iam.calls import Call
from mlplatform_cdk.local.adapters.iam.statements import Need

WRITE, READ = "kms:GenerateDataKey", "kms:Decrypt"
ACTIONS = {
    "s3:GetObject": (READ,),
    "s3:CopyObject": (WRITE,),
    "s3:PutObject": (WRITE,),
    "s3:CreateMultipartUpload": (WRITE,),
    "s3:UploadPart": (READ,),
    "s3:CompleteMultipartUpload": (READ,),
    "sqs:ReceiveMessage": (READ,),
    "sqs:SendMessage": (WRITE, READ),
    "sqs:SendMessageBatch": (WRITE, READ),
    "sns:Publish": (WRITE, READ),
    "sns:PublishBatch": (WRITE, READ),
}


def key_needs(call: Call) -> Iterator[Need]:
    """The rights on the customer's key that the call needs; none where AWS owns the key."""
    actions = ACTIONS.get(f"{call.prefix}:{call.operation}", ())
    key = _key_of(call) if actions else None
    if not key or _is_of_aws(key):
        return
    context = {"kms:viaservice": [f"{call.prefix}.{call.region}.amazonaws.com"]}
    for action in actions:
        yield Need(action=action, resources=(arns.key_arn(call, key),), context=context)


def _is_of_aws(key: str) -> bool:
    return "alias/aws/" in key


def _key_of(call: Call) -> str | None:
    if call.prefix == "s3":
        return _object_key(call)
    if call.prefix == "sqs":
        name = str(call.parameters.get("QueueUrl", "")).rsplit("/", 1)[-1]
        queue = sqs_backends[call.account][call.region].queues.get(name)
        return getattr(queue, "kms_master_key_id", None) or None
    topic = sns_backends[call.account][call.region].topics.get(str(call.parameters.get("TopicArn")))
    return getattr(topic, "kms_master_key_id", None) or None


def _object_key(call: Call) -> str | None:
    bucket = s3_backends[call.account][get_partition(call.region)].buckets.get(str(call.parameters.get("Bucket")))
    if bucket is None:
        return None
    if call.operation == "GetObject":
        stored = bucket.keys.get(call.parameters.get("Key"))
        return getattr(stored, "kms_key_id", None) if getattr(stored, "encryption", None) == "aws:kms" else None
    asked = call.headers.get("x-amz-server-side-encryption")
    if asked is not None:
        given = call.headers.get("x-amz-server-side-encryption-aws-kms-key-id")
        return given if asked == "aws:kms" else None
    return _default_key(bucket.encryption)


def _default_key(encryption: Mapping[str, Any] | None) -> str | None:
    rule = (encryption or {}).get("Rule", {})
    rules = rule if isinstance(rule, list) else [rule]
    default = rules[0].get("ApplyServerSideEncryptionByDefault", {}) if rules else {}
    return default.get("KMSMasterKeyID") if str(default.get("SSEAlgorithm", "")).startswith("aws:kms") else None

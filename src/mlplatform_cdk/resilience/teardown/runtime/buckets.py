"""Shuts buckets and empties them, version by version. May be called again after any interruption."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlplatform_cdk.resilience.teardown.runtime.door import answer_to
from mlplatform_cdk.resilience.teardown.runtime.rounds import DONE, Round, SecondsLeft
from mlplatform_cdk.resilience.teardown.runtime.settings import targets
from mlplatform_cdk.runtimekit import aws, logs
from mlplatform_cdk.runtimekit.errors import KnownError

SHUT = "ShutWhileItsStackGoes"
_LOG = logs.logger("teardown")
_SOME = 5  # objects that are named when they could not be deleted


class NotEmptied(KnownError):
    """S3 refused to delete objects."""


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Shut and empty the buckets."""
    return answer_to(event, context, _work)


def _work(seconds_left: SecondsLeft) -> Round:
    for bucket in targets()["buckets"]:
        if not _is_there(bucket["name"]):
            continue
        _shut(**bucket)
        if not _empty(bucket["name"], seconds_left):
            return Round(waits_for=f"the last objects of the bucket {bucket['name']}", pause_s=1)
    return DONE


def _is_there(bucket: str) -> bool:
    s3 = aws.client("s3")
    try:
        s3.head_bucket(Bucket=bucket)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchBucket"}:
            return False
        raise
    return True


def _shut(*, name: str, arn: str) -> None:
    """Let nobody write any more, S3's delivery of access logs included: what comes late would block the deletion."""
    s3 = aws.client("s3")
    refusal = {"Sid": SHUT, "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"{arn}/*"}
    kept = [one for one in _policy(name) if one.get("Sid") != SHUT]
    text = json.dumps({"Version": "2012-10-17", "Statement": [*kept, refusal]})
    s3.put_bucket_policy(Bucket=name, Policy=text)


def _policy(bucket: str) -> list[dict[str, Any]]:
    """The statements of the bucket's policy; CloudFormation may have deleted it already."""
    s3 = aws.client("s3")
    try:
        text = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucketPolicy":
            return []
        raise
    found: list[dict[str, Any]] = json.loads(text)["Statement"]
    return found


def _empty(bucket: str, seconds_left: SecondsLeft) -> bool:
    """Delete all versions, and give up all uploads; False when the time was too short for that."""
    s3 = aws.client("s3")
    for versions in _versions(bucket):
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": versions, "Quiet": True})
        if refused := answer.get("Errors"):
            named = ", ".join(f"{one['Key']} ({one['Code']})" for one in refused[:_SOME])
            raise NotEmptied(f"S3 must delete all objects of {bucket}, got {len(refused)} refusals: {named}")
        if seconds_left() <= 0:
            return False
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return True


def _versions(bucket: str) -> Iterator[list[dict[str, str]]]:
    """All versions and marks of deletion, up to a thousand at a time, as many as one call deletes."""
    for page in aws.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if found:
            yield [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]

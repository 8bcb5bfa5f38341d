"""Has S3 replicate the objects of a run once more: each gets a new version of itself, which S3 copies as any other."""

from collections.abc import Iterator, Mapping
from typing import Any


def again(events: Mapping[str, str], _context: object) -> dict[str, str]:
    """Write the objects under ``Prefix`` of ``Bucket`` again, as they are.

    :param events: ``Bucket``, ``Prefix`` and ``Which``: ``failed`` takes those that S3 says it could not replicate,
        ``all`` each one.
    :raises RuntimeError: when there is no object under the prefix.
    """
    s3, bucket = client("s3"), events["Bucket"]
    seen, written = 0, 0
    for key in _keys(s3, bucket, events["Prefix"]):
        seen += 1
        found = s3.head_object(Bucket=bucket, Key=key)
        if events["Which"] == "all" or found.get("ReplicationStatus") == "FAILED":
            # S3 copies an object onto itself only where something changes: its metadata are written as they were.
            s3.copy_object(
                Bucket=bucket,
                Key=key,
                CopySource={"Bucket": bucket, "Key": key, **_version(found)},
                MetadataDirective="REPLACE",
                Metadata=found.get("Metadata", {}),
                ContentType=found.get("ContentType", "binary/octet-stream"),
            )
            written += 1
    if not seen:
        raise RuntimeError(f"there must be objects under {events['Prefix']} in {bucket}, got none")
    return {"Seen": str(seen), "Written": str(written)}


def _version(found: Mapping[str, Any]) -> dict[str, str]:
    return {"VersionId": found["VersionId"]} if "VersionId" in found else {}


def _keys(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (one["Key"] for one in page.get("Contents", []))


def client(service: str) -> Any:
    """boto3's client of ``service``."""
    import boto3

    return boto3.client(service)

"""Has S3 replicate the objects of a run once more: each gets a new version of itself, which S3 copies as any other."""

from collections.abc import Iterator, Mapping
from typing import Any

# Well below the 5 GB that S3 copies at once, and what it copies before a client loses patience:
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
_AT_ONCE = 256 * 1024**2
_HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "StorageClass",
    "WebsiteRedirectLocation",
)


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
            _write(s3, {"Bucket": bucket, "Key": key, **_version(found)}, found)
            written += 1
    if not seen:
        raise RuntimeError(f"there must be objects under {events['Prefix']} in {bucket}, got none")
    return {"Seen": str(seen), "Written": str(written)}


def _write(s3: Any, which: Mapping[str, str], found: Mapping[str, Any]) -> None:
    """Copy an object onto itself, in parts where it is large.

    S3 does so only where something changes: all its metadata are replaced, by what they were.
    """
    from boto3.s3.transfer import TransferConfig

    as_it_was = {name: found[name] for name in _HEADERS if found.get(name)}
    as_it_was |= {"MetadataDirective": "REPLACE", "Metadata": found.get("Metadata", {})}
    parts = TransferConfig(multipart_threshold=_AT_ONCE, multipart_chunksize=_AT_ONCE)
    s3.copy(dict(which), which["Bucket"], which["Key"], ExtraArgs=as_it_was, Config=parts)


def _version(found: Mapping[str, Any]) -> dict[str, str]:
    return {"VersionId": found["VersionId"]} if "VersionId" in found else {}


def _keys(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (one["Key"] for one in page.get("Contents", []))


def client(service: str) -> Any:
    """boto3's client of ``service``."""
    import boto3

    return boto3.client(service)

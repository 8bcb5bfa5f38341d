"""S3 by URI: the steps and functions name each object as ``s3://bucket/key`` and never join strings by hand."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.errors import KnownError

_URI = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<key>.*))?", re.DOTALL)


class S3Error(KnownError):
    """A URI that names nothing in S3, or an object that is missing or not what it must be."""


@dataclass(frozen=True, slots=True)
class Location:
    """A bucket and a key (or a prefix, which ends with ``/``, or is empty for the whole bucket)."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> "Location":
        """The location that ``uri`` (``s3://bucket/key``) names."""
        match = _URI.fullmatch(uri)
        if match is None:
            raise S3Error(f"an S3 URI must look like s3://bucket/key, got {uri!r}")
        return cls(match["bucket"], match["key"] or "")

    @property
    def uri(self) -> str:
        """``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"

    def child(self, name: str) -> "Location":
        """What lies at ``name`` under this prefix."""
        return Location(self.bucket, f"{self.key.rstrip('/')}/{name}".lstrip("/"))


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as a listing shows it."""

    location: Location
    size: int
    etag: str
    modified: datetime


def read_bytes(uri: str) -> bytes:
    """The content of the object at ``uri``."""
    where = Location.parse(uri)
    s3 = aws.client("s3")
    try:
        body: bytes = s3.get_object(Bucket=where.bucket, Key=where.key)["Body"].read()
    except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket):
        raise S3Error(f"an object must exist at {uri}, got none") from None
    return body


def write_bytes(uri: str, body: bytes, *, content_type: str = "application/octet-stream") -> None:
    """Store ``body`` at ``uri``; the bucket's own encryption applies."""
    where = Location.parse(uri)
    aws.client("s3").put_object(Bucket=where.bucket, Key=where.key, Body=body, ContentType=content_type)


def read_json(uri: str) -> Any:
    """The JSON value stored at ``uri``."""
    body = read_bytes(uri)
    try:
        return json.loads(body)
    except ValueError as error:
        raise S3Error(f"the object at {uri} must be JSON, got {len(body)} bytes that are not ({error})") from None


def write_json(uri: str, value: Mapping[str, Any] | list[Any]) -> None:
    """Store ``value`` as JSON at ``uri``, with sorted keys, so that the same value gives the same bytes."""
    write_bytes(uri, json.dumps(value, sort_keys=True, indent=2).encode(), content_type="application/json")


def listing(uri: str) -> Iterator[StoredObject]:
    """Every object under the prefix ``uri``, in the order of the keys; "folders" of size 0 are left out."""
    where = Location.parse(uri)
    pages = aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=where.bucket, Prefix=where.key)
    for page in pages:
        for found in page.get("Contents", []):
            if not (found["Key"].endswith("/") and found["Size"] == 0):
                yield StoredObject(
                    Location(where.bucket, found["Key"]), found["Size"], found["ETag"].strip('"'), found["LastModified"]
                )

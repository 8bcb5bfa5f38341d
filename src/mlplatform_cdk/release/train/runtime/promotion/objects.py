"""Copies objects between buckets of two accounts by way of this function, which reads here and writes there.

No bucket policy and no key policy has to name another account for it.
"""

import hashlib
import io
from collections.abc import Iterator
from typing import Any

from mlplatform_cdk.release.train.runtime.errors import PromotionFailed
from mlplatform_cdk.runtimekit.s3 import Location

_CHUNK = 1024 * 1024


def copy(source: Any, source_uri: str, target: Any, target_uri: str, *, sha256: str = "", replica_uri: str = "") -> str:
    """Copy an object, and read the copy again; gives its digest.

    :param source: the S3 client of where it lies.
    :param source_uri: the object.
    :param target: the S3 client of where it goes.
    :param target_uri: where it goes; an equal object there is left alone.
    :param sha256: the digest that it must have; default: whatever it has.
    :param replica_uri: where S3's replication may have brought it already, in the target's own bucket: if it has the
        digest, S3 copies it from there, and nothing is sent; default: nowhere.
    :raises PromotionFailed: when either has another digest.
    """
    there = Location.parse(target_uri)
    known = digest_of(target, target_uri) if sha256 and _exists(target, there) else ""
    if known and known == sha256:
        return known
    replicated = sha256 and replica_uri and _copied_there(target, replica_uri, there)
    # Nothing serves from the copy yet: one with another digest is written over by what lies at home.
    if replicated and digest_of(target, target_uri) == sha256:
        return sha256
    here = Location.parse(source_uri)
    stream = _Digested(source.get_object(Bucket=here.bucket, Key=here.key)["Body"])
    target.upload_fileobj(stream, there.bucket, there.key)
    if sha256 and stream.digest != sha256:
        message = f"{source_uri} must have the digest {sha256} that was registered, got {stream.digest}"
        raise PromotionFailed(message)
    arrived = digest_of(target, target_uri)
    if arrived != stream.digest:
        message = f"{target_uri} must have the digest {stream.digest} of what was sent, got {arrived}"
        raise PromotionFailed(message)
    return arrived


def _copied_there(client: Any, replica_uri: str, there: Location) -> bool:
    """Whether there was a replica to copy; S3 copies it by itself, in parts where it is large."""
    replica = Location.parse(replica_uri)
    if not _exists(client, replica):
        return False
    client.copy({"Bucket": replica.bucket, "Key": replica.key}, there.bucket, there.key)
    return True


def digest_of(client: Any, uri: str) -> str:
    """The SHA-256 of an object, by reading all of it."""
    where = Location.parse(uri)
    digest = hashlib.sha256()
    for chunk in _chunks(client.get_object(Bucket=where.bucket, Key=where.key)["Body"]):
        digest.update(chunk)
    return digest.hexdigest()


def _exists(client: Any, where: Location) -> bool:
    """Whether there is an object; by a listing, since whoever may not list gets 403 for what is not there."""
    found = client.list_objects_v2(Bucket=where.bucket, Prefix=where.key, MaxKeys=1)
    return any(one["Key"] == where.key for one in found.get("Contents", []))


def _chunks(body: Any) -> Iterator[bytes]:
    while chunk := body.read(_CHUNK):
        yield chunk


class _Digested(io.RawIOBase):
    """A stream that knows the digest of what was read from it."""

    def __init__(self, body: Any) -> None:
        self._body, self._digest = body, hashlib.sha256()

    @property
    def digest(self) -> str:
        """Of all that was read."""
        return self._digest.hexdigest()

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        chunk: bytes = self._body.read(None if size is None or size < 0 else size)
        self._digest.update(chunk)
        return chunk

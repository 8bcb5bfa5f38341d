"""S3 as one role sees it: what SageMaker downloads and uploads for a job or a model, under the role it was given."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from mlplatform_cdk.local import role_clients, roles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


SESSION = "SageMaker"
PRINCIPAL = "sagemaker.amazonaws.com"


class StorageError(Exception):
    """SageMaker's sentence for data that it could not read or write."""


@dataclass(frozen=True, slots=True)
class RoleStorage:
    """S3 with the rights of ``role_arn``.

    :param client: made with the role's credentials.
    :param role_arn: for the sentences.
    :param region: for the sentences.
    """

    client: Any
    role_arn: str
    region: str

    def keys(self, uri: str) -> list[str]:
        """The objects under a prefix, folder markers left out; an error when there is none."""
        bucket, prefix = split(uri)
        try:
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            found = [item["Key"] for page in pages for item in page.get("Contents", []) if item["Key"][-1] != "/"]
        except ClientError as error:
            raise StorageError(self._nothing_found(uri, bucket, _reason(error))) from error
        if not found:
            raise StorageError(self._nothing_found(uri, bucket, None))
        return sorted(found)

    def download(self, uri: str, folder: Path) -> None:
        """Copy all objects under a prefix into ``folder``, by the part of their key that follows the prefix."""
        bucket, prefix = split(uri)
        for key in self.keys(uri):
            self.fetch(f"s3://{bucket}/{key}", folder / relative_name(key, prefix))

    def download_existing(self, uri: str, folder: Path) -> None:
        """Like ``download``, where nothing there is no error: the first run has no checkpoints."""
        bucket, prefix = split(uri)
        if self.client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("KeyCount"):
            self.download(uri, folder)

    def download_manifest(self, uri: str, folder: Path) -> None:
        """Copy the objects that a ManifestFile lists: ``[{"prefix": "s3://…"}, "key", …]``."""
        bucket, key = split(uri)
        try:
            entries = json.loads(self.client.get_object(Bucket=bucket, Key=key)["Body"].read())
        except (ClientError, ValueError) as error:
            raise StorageError(f"Failed to read the manifest {uri}: {error}") from error
        start = entries[0]["prefix"]
        for name in entries[1:]:
            self.fetch(f"{start}{name}", folder / name)

    def fetch(self, uri: str, file: Path) -> None:
        """Copy one object."""
        bucket, key = split(uri)
        try:
            body = self.client.get_object(Bucket=bucket, Key=key)["Body"]
        except ClientError as error:
            raise StorageError(
                f"Data download failed:{_reason(error)} for {uri}, with the role {self.role_arn}"
            ) from error
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as target:
            for chunk in body.iter_chunks(1 << 20):
                target.write(chunk)

    def head(self, uri: str) -> None:
        """Raise ``StorageError`` unless the object is there and readable."""
        bucket, key = split(uri)
        try:
            self.client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            raise StorageError(_reason(error)) from error

    def upload(self, folder: Path, uri: str, kms_key: str | None = None) -> None:
        """Copy all files below ``folder`` under a prefix."""
        for file in sorted(_files(folder)):
            self.put(file, f"{uri.rstrip('/')}/{file.relative_to(folder).as_posix()}", kms_key)

    def put(self, file: Path, uri: str, kms_key: str | None = None) -> None:
        """Copy one file to one object."""
        bucket, key = split(uri)
        encryption: Any = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        try:
            with file.open("rb") as body:
                self.client.put_object(Bucket=bucket, Key=key, Body=body, **encryption)
        except ClientError as error:
            raise StorageError(
                f"Artifact upload failed:{_reason(error)} for {uri}, with the role {self.role_arn}"
            ) from error

    def _nothing_found(self, uri: str, bucket: str, reason: str | None) -> str:
        sentence = (
            f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
            f"exists in the selected region ({self.region}), that objects exist under that S3 prefix, and that the "
            f'role "{self.role_arn}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        )
        return f"{sentence} Error message from S3: {reason}" if reason else sentence


def storage_of(region: str, role_arn: str) -> RoleStorage:
    """S3 for one job or model, under its role.

    :param region: where it is.
    :param role_arn: the role that SageMaker assumes for it.
    """
    try:
        client: Any = role_clients.client_for(
            "s3", region, role_arn=role_arn, session_name=SESSION, principal=PRINCIPAL
        )
    except roles.RoleCannotBeAssumed as refused:
        raise StorageError(str(refused)) from refused
    return RoleStorage(client, role_arn, region)


def split(uri: str) -> tuple[str, str]:
    """``s3://bucket/key`` as bucket and key."""
    parts = urlsplit(uri, allow_fragments=False)
    if parts.scheme != "s3" or not parts.netloc:
        raise StorageError(f"The URI must be s3://bucket/key, got {uri!r}")
    return parts.netloc, parts.path.lstrip("/")


def relative_name(key: str, prefix: str) -> str:
    """The name that SageMaker gives an object below the channel's folder."""
    if key != prefix and (not prefix or prefix.endswith("/")):
        return key[len(prefix) :]
    if key.startswith(f"{prefix}/"):
        return key[len(prefix) + 1 :]
    return key[prefix.rfind("/") + 1 :]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _reason(error: ClientError) -> str:
    details: Any = error.response
    status = details.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    return f"{details['Error'].get('Code')} ({status}): {details['Error'].get('Message', '')}"

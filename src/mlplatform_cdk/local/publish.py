"""Puts a stack's assets where its template expects them, as ``cdk deploy`` would after ``cdk bootstrap``."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from mlplatform_cdk.local import images

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mlplatform_cdk.assembly import FileAsset, ImageAsset, Stack
    from mlplatform_cdk.local.administrator import Administrator

BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION = "30"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def assume_bootstrapped(administrator: Administrator, region: str) -> None:
    """Say that the account was bootstrapped, unless it really was."""
    ssm = administrator.client("ssm", region)
    try:
        ssm.get_parameter(Name=BOOTSTRAP_PARAMETER)
    except ssm.exceptions.ParameterNotFound:
        ssm.put_parameter(Name=BOOTSTRAP_PARAMETER, Type="String", Value=BOOTSTRAP_VERSION)


def publish(stacks: Iterable[Stack], administrator: Administrator) -> tuple[str, ...]:
    """Publish what the templates of ``stacks`` refer to; the notes on images come back, a sentence each."""
    done: set[tuple[str, ...]] = set()
    notes: list[str] = []
    settings = administrator.settings
    for stack in stacks:
        region = stack.region or settings.region
        files, containers = stack.assets(account=settings.account, region=region)
        for file in files:
            if (file.bucket, file.key) not in done:
                done.add((file.bucket, file.key))
                _publish_file(file, administrator, region)
        for image in containers:
            if (image.repository, image.tag) not in done:
                done.add((image.repository, image.tag))
                notes.extend(_publish_image(image, administrator, region))
    return tuple(dict.fromkeys(notes))


def _publish_file(asset: FileAsset, administrator: Administrator, region: str) -> None:
    s3 = administrator.client("s3", region)
    try:
        s3.head_object(Bucket=asset.bucket, Key=asset.key)
    except ClientError:
        _ensure_bucket(s3, asset.bucket, region)
        s3.put_object(Bucket=asset.bucket, Key=asset.key, Body=_content(asset))


def _ensure_bucket(s3: Any, bucket: str, region: str) -> None:
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, **where)
    except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        return


def _content(asset: FileAsset) -> bytes:
    if not asset.zipped or asset.path.is_file():
        return asset.path.read_bytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for path in sorted(asset.path.rglob("*")):
            if path.is_file():
                file.writestr(_entry(path, asset.path), path.read_bytes())
    return archive.getvalue()


def _entry(path: Path, root: Path) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (path.stat().st_mode & 0xFFFF) << 16
    return entry


def _publish_image(asset: ImageAsset, administrator: Administrator, region: str) -> tuple[str, ...]:
    settings = administrator.settings
    uri = f"{settings.account}.dkr.ecr.{region}.amazonaws.com/{asset.repository}:{asset.tag}"
    tree = images.publish(
        asset.directory,
        uri,
        settings=settings,
        dockerfile=asset.dockerfile,
        target=asset.target,
        build_arguments=dict(asset.build_arguments),
    )
    register_image(administrator, region, asset.repository, asset.tag)
    return tree.notes


def register_image(administrator: Administrator, region: str, repository: str, tag: str) -> None:
    """Let ECR list the image; its layers are the folder that ``images`` keeps."""
    ecr = administrator.client("ecr", region)
    with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
        ecr.create_repository(repositoryName=repository)
    digest = hashlib.sha256(f"{repository}:{tag}".encode()).hexdigest()
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": len(digest),
            "digest": f"sha256:{digest}",
        },
        "layers": [],
    }
    try:
        ecr.put_image(repositoryName=repository, imageTag=tag, imageManifest=json.dumps(manifest))
    except ecr.exceptions.ImageAlreadyExistsException:
        return

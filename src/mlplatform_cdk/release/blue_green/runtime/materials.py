"""Whether the archive, the manifest and the image of a version are there, and the ones that were registered."""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.state import Version
from mlplatform_cdk.runtimekit import aws, s3
from mlplatform_cdk.runtimekit.manifest import Manifest, ManifestError

_ECR = re.compile(
    r"(?P<registry>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_CHUNK = 1 << 20


def archive_problems(version: Version) -> list[str]:
    """What is wrong with the model archive, a clause each."""
    digest = _archive_digest(version.model_data_url)
    if digest is None:
        return [f"the model archive must exist at {version.model_data_url}, got none"]
    if digest != version.model_data_sha256:
        return [_differs(f"the model archive at {version.model_data_url}", version.model_data_sha256, digest)]
    return []


def read_manifest(version: Version) -> tuple[Manifest | None, list[str]]:
    """The manifest of ``version``, or what is wrong with it."""
    try:
        content = s3.read_bytes(version.manifest_uri)
        digest = hashlib.sha256(content).hexdigest()
        if digest != version.manifest_sha256:
            return None, [_differs(f"the manifest at {version.manifest_uri}", version.manifest_sha256, digest)]
        return Manifest.from_json(content), []
    except (s3.S3Error, ManifestError) as error:
        return None, [f"the manifest must be readable: {error}"]


def image_problems(version: Version) -> list[str]:
    """What is wrong with the image that serves it, a clause each."""
    match = _ECR.fullmatch(version.image)
    if match is None:
        return [f"the image must lie in ECR, got {version.image}"]
    found = _image(match)
    if found is None:
        return [f"the image must exist in ECR, and {version.image} does not"]
    wanted = version.image_digest or match["digest"]
    if wanted and found != wanted:
        return [_differs(f"the image {version.image}", wanted, found)]
    return []


def _image(match: re.Match[str]) -> str | None:
    """The digest of an image, or None when there is none."""
    ecr = aws.client("ecr")
    name: Mapping[str, Any] = {"imageDigest": match["digest"]} if match["digest"] else {"imageTag": match["tag"]}
    try:
        answer = ecr.batch_get_image(registryId=match["registry"], repositoryName=match["repository"], imageIds=[name])
    except ecr.exceptions.RepositoryNotFoundException:
        return None
    return str(answer["images"][0]["imageId"]["imageDigest"]) if answer["images"] else None


def _archive_digest(uri: str) -> str | None:
    """The SHA-256 of an object, as S3 has checked it or by reading it; None when there is none."""
    where, client = s3.Location.parse(uri), aws.client("s3")
    try:
        head = client.head_object(Bucket=where.bucket, Key=where.key, ChecksumMode="ENABLED")
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NoSuchBucket"}:
            return None
        raise
    # A checksum of checksums, of an upload in parts, ends with the number of parts and is another number.
    known = head.get("ChecksumSHA256", "")
    if known and "-" not in known:
        return base64.b64decode(known).hex()
    digest = hashlib.sha256()
    for chunk in client.get_object(Bucket=where.bucket, Key=where.key)["Body"].iter_chunks(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _differs(what: str, wanted: str, got: str) -> str:
    return f"{what} must be the one that was registered ({_short(wanted)}), got {_short(got)}"


def _short(digest: str) -> str:
    return f"{digest.removeprefix('sha256:')[:12]}…"

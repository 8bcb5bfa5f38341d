"""Copies an image between registries of two accounts, layer by layer, under the digest that it has."""

import hashlib
import json
import re
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.release.train.runtime.errors import PromotionFailed

_URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.(?P<suffix>amazonaws\.com(?:\.cn)?)/(?P<repository>[a-z0-9][a-z0-9._/-]*)"
    r"(?::(?P<tag>[\w.-]+)|@(?P<digest>sha256:[0-9a-f]{64}))"
)
_KINDS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)
_PART = 10 * 1024 * 1024  # ECR takes parts of 5 to 10 MiB
_TIMEOUT_S = 60
_MOST_LAYERS_ASKED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageName:
    """An image in ECR.

    :param account: whose registry.
    :param region: where.
    :param suffix: of the partition's host names.
    :param repository: its name.
    :param tag: its tag, or None.
    :param digest: its digest, or None.
    """

    account: str
    region: str
    suffix: str
    repository: str
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, uri: str) -> "ImageName":
        """The image that ``uri`` names."""
        match = _URI.fullmatch(uri)
        if match is None:
            message = f"an image that is promoted must lie in ECR, with a tag or a digest, got {uri!r}"
            raise PromotionFailed(message)
        return cls(**match.groupdict())

    @property
    def id(self) -> dict[str, str]:
        """As ECR's API names it within its repository."""
        return {"imageDigest": self.digest} if self.digest else {"imageTag": str(self.tag)}

    @property
    def place(self) -> dict[str, str]:
        """As ECR's API names its repository."""
        return {"registryId": self.account, "repositoryName": self.repository}


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image's manifest, by the digest that ECR knows it by."""

    digest: str
    text: str
    media_type: str

    @property
    def content(self) -> dict[str, Any]:
        """What it says."""
        parsed: dict[str, Any] = json.loads(self.text)
        return parsed

    @property
    def blobs(self) -> list[str]:
        """The digests of its configuration and its layers."""
        content = self.content
        found = [content["config"]["digest"]] if "config" in content else []
        return [*found, *(one["digest"] for one in content.get("layers", []) if not one.get("urls"))]

    @property
    def children(self) -> list[str]:
        """The digests of the manifests of an index."""
        return [one["digest"] for one in self.content.get("manifests", [])]


def read_manifest(client: Any, place: Mapping[str, str], image_id: Mapping[str, str]) -> Manifest | None:
    """The manifest of an image, or None where there is none.

    :param client: the ECR client of its region.
    :param place: its registry and repository.
    :param image_id: its tag or digest.
    """
    found = client.batch_get_image(**place, imageIds=[dict(image_id)], acceptedMediaTypes=[*_KINDS])["images"]
    if not found:
        return None
    text = found[0]["imageManifest"]
    kind = found[0].get("imageManifestMediaType") or json.loads(text).get("mediaType", _KINDS[0])
    return Manifest(found[0]["imageId"]["imageDigest"], text, kind)


def is_whole(client: Any, repository: str, manifest: Manifest) -> bool:
    """Whether an image is in ``repository`` under its digest, as it is elsewhere, with the images of its index.

    ECR takes a manifest only when all of its layers are there.

    :param client: the ECR client of its region.
    :param repository: where ECR's replication may have brought it; there may be none yet.
    """
    try:
        found = read_manifest(client, {"repositoryName": repository}, {"imageDigest": manifest.digest})
    except client.exceptions.RepositoryNotFoundException:
        return False
    if found is None or found.text != manifest.text:
        return False
    return all(
        read_manifest(client, {"repositoryName": repository}, {"imageDigest": child}) for child in manifest.children
    )


def copy(source: Any, name: ImageName, target: Any, repository: str) -> str:
    """Copy an image to ``repository``, under its own digest; gives that. What is there already is left alone.

    :param source: the ECR client of where it lies.
    :param name: the image.
    :param target: the ECR client of where it goes.
    :param repository: the name of the repository there.
    :raises PromotionFailed: when it does not arrive as it left.
    """
    manifest = read_manifest(source, name.place, name.id)
    if manifest is None:
        message = f"the image {name.repository}:{name.tag or name.digest} must exist in {name.account}, got none"
        raise PromotionFailed(message)
    _copy_manifest(source, name.place, manifest, target, repository)
    return manifest.digest


def _copy_manifest(source: Any, place: Mapping[str, str], manifest: Manifest, target: Any, repository: str) -> None:
    there = {"repositoryName": repository}
    if read_manifest(target, there, {"imageDigest": manifest.digest}) is None:
        for child in manifest.children:
            found = read_manifest(source, place, {"imageDigest": child})
            if found is None:
                message = f"the image {child} of the index {manifest.digest} must exist, got none"
                raise PromotionFailed(message)
            _copy_manifest(source, place, found, target, repository)
        for digest in _missing(target, repository, manifest.blobs):
            _copy_layer(source, place, digest, target, repository)
        target.put_image(
            **there,
            imageManifest=manifest.text,
            imageManifestMediaType=manifest.media_type,
            imageDigest=manifest.digest,  # ECR refuses a manifest that has another one
            imageTag=manifest.digest.replace(":", "-"),
        )
    arrived = read_manifest(target, there, {"imageDigest": manifest.digest})
    if arrived is None or arrived.text != manifest.text:
        message = f"the image {manifest.digest} must be in {repository} as it left, got {arrived and arrived.digest}"
        raise PromotionFailed(message)


def _missing(client: Any, repository: str, digests: list[str]) -> list[str]:
    """Those of the layers that are not there yet."""
    missing: list[str] = []
    for first in range(0, len(digests), _MOST_LAYERS_ASKED):
        asked = [*dict.fromkeys(digests[first : first + _MOST_LAYERS_ASKED])]
        answer = client.batch_check_layer_availability(repositoryName=repository, layerDigests=asked)
        there = {one["layerDigest"] for one in answer["layers"] if one.get("layerAvailability") == "AVAILABLE"}
        missing.extend(one for one in asked if one not in there)
    return missing


def _copy_layer(source: Any, place: Mapping[str, str], digest: str, target: Any, repository: str) -> None:
    url = source.get_download_url_for_layer(**place, layerDigest=digest)["downloadUrl"]
    upload = target.initiate_layer_upload(repositoryName=repository)
    ours = {"repositoryName": repository, "uploadId": upload["uploadId"]}
    hashed, first = hashlib.sha256(), 0
    for part in _parts(url, min(_PART, upload.get("partSize") or _PART)):
        hashed.update(part)
        last = first + len(part) - 1
        target.upload_layer_part(**ours, partFirstByte=first, partLastByte=last, layerPartBlob=part)
        first = last + 1
    if f"sha256:{hashed.hexdigest()}" != digest:
        message = f"a layer must have its digest {digest}, got sha256:{hashed.hexdigest()}"
        raise PromotionFailed(message)
    target.complete_layer_upload(**ours, layerDigests=[digest])


def _parts(url: str, size: int) -> Iterator[bytes]:
    # The URL is S3's own, signed by ECR for this layer.
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as body:  # noqa: S310
        while part := _read(body, size):
            yield part


def _read(body: Any, size: int) -> bytes:
    """``size`` bytes, or what is left: a response may give fewer than it was asked for."""
    parts: list[bytes] = []
    while size > 0 and (chunk := body.read(size)):
        parts.append(chunk)
        size -= len(chunk)
    return b"".join(parts)

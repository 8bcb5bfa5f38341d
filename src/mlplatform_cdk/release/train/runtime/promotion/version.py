"""A version of the home registry becomes a version of a station's registry, everything of it checked by digest."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.release.train.runtime.errors import PromotionFailed
from mlplatform_cdk.release.train.runtime.promotion import image, objects
from mlplatform_cdk.release.train.runtime.station import Station
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.model_package import PackageFacts
from mlplatform_cdk.runtimekit.s3 import Location

_APPROVED = "Approved"
# An approved version with a stage starts no release by itself: the train does, when its wave departs.
_STAGE = {"Stage": "Promotion", "StageStatus": "Promoted"}
_LIVE = ("Production", "InService")
_PROMOTED_FROM = "promoted_from"
# What S3 may replicate from bucket to bucket, under the same name.
_REPLICATED = "runs/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """A version at a station.

    :param package_arn: it.
    :param live: does it serve there already.
    """

    package_arn: str
    live: bool


def promote(package: Mapping[str, Any], station: Station) -> Promoted:
    """Bring ``package`` to ``station``; one that is there is looked at, and never made again.

    :param package: what DescribeModelPackage says of it at home.
    :param station: where it goes.
    :raises PromotionFailed: when something does not arrive as it left, or the station has rejected the version.
    """
    source_arn = package["ModelPackageArn"]
    if source_arn.rsplit("/", 1)[0] == _group_arn(source_arn, station):
        return _judged(package, station)  # the station is at home: the version is there
    known = _find(station, source_arn)
    if known is not None:
        return _judged(known, station)
    container, facts = _container(package), PackageFacts.from_metadata(package["CustomerMetadataProperties"])
    # Two versions may come from one run, and neither may write over what the other one serves from.
    group, number = source_arn.split("/")[-2:]
    folder = f"s3://{station.address.bucket}/{station.address.prefix}{facts.run_id}/{group}-{number}"
    uris = _copy_objects(container, facts, station, folder)
    image_uri = _bring_image(container["Image"], station)
    request = _request(package, facts, uris, image_uri, station)
    arn: str = station.client("sagemaker").create_model_package(**request)["ModelPackageArn"]
    return Promoted(package_arn=arn, live=False)


def description_of(source_arn: str) -> str:
    """How a promoted version says where it comes from, also in lists."""
    return f"promoted from {source_arn}"


def _judged(package: Mapping[str, Any], station: Station) -> Promoted:
    """Whether a version that is at the station may be released there, and whether it serves already."""
    status = package.get("ModelApprovalStatus", "without approval status")
    if status != _APPROVED:
        why = package.get("ApprovalDescription") or "it gives no reason"
        message = (
            f"{package['ModelPackageArn']} must be {_APPROVED} at {station.facts.name}, got {status} ({why}); "
            "approve it there, or train a better one"
        )
        raise PromotionFailed(message)
    stage = package.get("ModelLifeCycle", {})
    return Promoted(
        package_arn=package["ModelPackageArn"],
        live=(stage.get("Stage"), stage.get("StageStatus")) == _LIVE,
    )


def _group_arn(source_arn: str, station: Station) -> str:
    """What comes before the number in the ARNs of the station's versions."""
    _, partition, service, *_ = source_arn.split(":")
    account = station.address.machine.split(":")[4]
    return f"arn:{partition}:{service}:{station.facts.region}:{account}:model-package/{station.address.group}"


def _find(station: Station, source_arn: str) -> dict[str, Any] | None:
    """The version at the station that was promoted from ``source_arn``, the newest of them."""
    client = station.client("sagemaker")
    pages = client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=station.address.group, SortBy="CreationTime", SortOrder="Descending"
    )
    for page in pages:
        for one in page["ModelPackageSummaryList"]:
            if one.get("ModelPackageDescription") == description_of(source_arn):
                found: dict[str, Any] = client.describe_model_package(ModelPackageName=one["ModelPackageArn"])
                return found
    return None


def _container(package: Mapping[str, Any]) -> dict[str, Any]:
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1 or not containers[0].get("ModelDataUrl"):
        message = f"{package['ModelPackageArn']} must have one container with ModelDataUrl, got {len(containers)}"
        raise PromotionFailed(message)
    return dict(containers[0])


def _copy_objects(container: Mapping[str, Any], facts: PackageFacts, station: Station, folder: str) -> dict[str, str]:
    """Archive, manifest and verdict, each under the name that it had."""
    source, target = aws.client("s3"), station.client("s3")
    wanted = {
        "archive": (container["ModelDataUrl"], facts.model_data_sha256),
        "manifest": (facts.manifest_uri, facts.manifest_sha256),
        "evaluation": (facts.evaluation_uri, ""),
    }
    uris = {}
    for what, (uri, sha256) in wanted.items():
        key = Location.parse(uri).key
        uris[what] = f"{folder}/{key.rsplit('/', 1)[-1]}"
        replica = f"s3://{station.address.bucket}/{key}" if key.startswith(_REPLICATED) else ""
        objects.copy(source, uri, target, uris[what], sha256=sha256, replica_uri=replica)
    return uris


def _bring_image(uri: str, station: Station) -> str:
    """The image at the station: the endpoint's own or a replica, where that is the same, or a copy."""
    source = image.ImageName.parse(uri)
    ecr = _home_ecr(source.region)
    ours = image.ImageName.parse(station.address.image)
    wanted = image.read_manifest(ecr, source.place, source.id)
    known = image.read_manifest(station.client("ecr"), {"repositoryName": ours.repository}, ours.id)
    if wanted is not None and known is not None and known.digest == wanted.digest:
        return station.address.image
    account = station.address.machine.split(":")[4]
    registry = f"{account}.dkr.ecr.{station.facts.region}.{ours.suffix}"
    if wanted is not None and _is_replicated(source.repository, wanted, station):
        return f"{registry}/{source.repository}@{wanted.digest}"
    digest = image.copy(ecr, source, station.client("ecr"), station.address.repository)
    return f"{registry}/{station.address.repository}@{digest}"


def _is_replicated(repository: str, wanted: image.Manifest, station: Station) -> bool:
    """Whether ECR itself has brought the image to the station already."""
    comes = repository.startswith(tuple(station.address.replicated))
    return comes and image.is_whole(station.client("ecr"), repository, wanted)


def _home_ecr(region: str) -> Any:
    import boto3  # an asset must boot without boto3

    return boto3.client("ecr", region_name=region)


def _request(
    package: Mapping[str, Any], facts: PackageFacts, uris: Mapping[str, str], image_uri: str, station: Station
) -> dict[str, Any]:
    """CreateModelPackage's parameters; what pointed to home points to the station."""
    source_arn = package["ModelPackageArn"]
    specification = package["InferenceSpecification"]
    container = {
        name: value
        for name, value in _container(package).items()
        if name in {"ContainerHostname", "Environment", "Framework", "FrameworkVersion", "NearestModelName"}
    }
    metadata = {
        **package["CustomerMetadataProperties"],
        "manifest_uri": uris["manifest"],
        "evaluation_uri": uris["evaluation"],
        _PROMOTED_FROM: source_arn,
    }
    token = hashlib.sha256(f"{source_arn} {station.facts.name}".encode()).hexdigest()[:36]
    return {
        "ModelPackageGroupName": station.address.group,
        "ModelPackageDescription": description_of(source_arn),
        "ModelApprovalStatus": _APPROVED,
        "ModelLifeCycle": _STAGE,
        "InferenceSpecification": {
            **{
                name: specification[name]
                for name in ("SupportedContentTypes", "SupportedResponseMIMETypes")
                if name in specification
            },
            "Containers": [{**container, "Image": image_uri, "ModelDataUrl": uris["archive"]}],
        },
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": uris["evaluation"]}}
        },
        "MetadataProperties": {"GeneratedBy": source_arn, "CommitId": facts.code_version},
        "CustomerMetadataProperties": metadata,
        "ClientToken": token,
    }

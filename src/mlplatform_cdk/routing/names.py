"""Names that DNS, a certificate and Route 53 take, and the regions that it can route to, by the books."""

import re
from collections.abc import Iterable

# A label of a host name: RFC 1123, section 2.1; 253 characters are what 255 octets on the wire leave (RFC 1035, 2.3.4).
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NAME = 253

# The first name of a certificate, which becomes its common name:
# https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
CERTIFICATE_NAME = 64

# All that there are, and those to come as long as AWS names them by the compass.
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)*-(north|south|east|west|central)+-\d+")

# As AWS's own SDKs tell partitions apart (`regionRegex` of botocore's partitions.json).
_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isob-", "aws-iso-b"),
    ("us-iso-", "aws-iso"),
    ("eusc-", "aws-eusc"),
)

# Where a public zone may hold latency, geolocation and weighted records with alias to an API. In AWS GovCloud it has
# no public zones, no latency and no geolocation records, and an alias names records of its own zone only:
# https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-r53.html
# In China an alias names resources of the China regions only, so that a plan stays within its partition:
# https://docs.amazonaws.cn/en_us/aws/latest/userguide/route53.html
_ROUTED_PARTITIONS = frozenset({"aws", "aws-cn"})


def wrong_name(name: str) -> str:
    """What is wrong with a host name, or nothing."""
    if len(name) > _NAME:
        return f"must have at most {_NAME} characters, got {len(name)}"
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        return f"must be labels of small letters, digits and hyphens between dots, got {name!r}"
    return ""


def lies_in(name: str, zone_name: str) -> bool:
    """Whether a name is that of a zone, or below it."""
    return name == zone_name or name.endswith(f".{zone_name}")


def partition_of_region(region: str) -> str:
    """The partition that a region's name belongs to."""
    return next((partition for prefix, partition in _PARTITIONS if region.startswith(prefix)), "aws")


def wrong_regions(regions: Iterable[str]) -> str:
    """What keeps Route 53 from routing among these regions, or nothing."""
    names = [*regions]
    if not names:
        return "regions must name at least one region"
    for name in names:
        if not _REGION.fullmatch(name):
            return f"regions must be names such as 'eu-west-1', got {name!r}"
    partitions = {partition_of_region(name) for name in names}
    if len(partitions) > 1:
        return f"regions must lie in one partition, got {', '.join(sorted(partitions))}; make a plan for each"
    if not partitions <= _ROUTED_PARTITIONS:
        return (
            f"regions must lie where Route 53 routes between regions, got {names[0]!r} of {partitions.pop()}: it "
            "has no public zones and no latency or geolocation records there; serve each region by a name of its own"
        )
    return ""

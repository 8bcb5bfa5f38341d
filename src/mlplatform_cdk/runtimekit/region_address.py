"""Where the verdict on a region lives, and which regions one name has: what templates publish, and people's tools read.

Two SSM parameters, under paths that whoever knows the domain knows too. A region's own names no other region, so that
one more region changes none of them; the regions are told where the one name is made.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from mlplatform_cdk.runtimekit.errors import KnownError

REGIONS_PREFIX = "/mlplatform/regions/"
NAMES_PREFIX = "/mlplatform/names/"

_Address = TypeVar("_Address", "RegionAddress", "NamesAddress")


class RegionAddressError(KnownError):
    """A parameter that does not say where a region's verdict lives, or which regions there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionAddress:
    """What one needs to know to read a region's verdict, and to drain it. A text may be a token in a template.

    :param domain: the one name of all regions.
    :param region: this region.
    :param endpoint: the endpoint's name, which is the row's key.
    :param table: the name of the table of verdicts.
    :param alarm: the name of the alarm that Route 53 reads.
    """

    domain: str
    region: str
    endpoint: str
    table: str
    alarm: str

    @property
    def parameter(self) -> str:
        """The name of the SSM parameter, in the region's own stack."""
        return f"{REGIONS_PREFIX}{self.domain}"

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_json(cls, text: str) -> "RegionAddress":
        """What the parameter holds.

        :raises RegionAddressError: when that is no address.
        """
        return _read(cls, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesAddress:
    """Which regions one name has.

    :param domain: the one name.
    :param regions: all of its regions.
    :param switches: per region the ARN of its routing control, where there are such.
    """

    domain: str
    regions: Sequence[str]
    switches: Mapping[str, str] = field(default_factory=dict)

    @property
    def parameter(self) -> str:
        """The name of the SSM parameter, in the stack of the names."""
        return f"{NAMES_PREFIX}{self.domain}"

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {"domain": self.domain, "regions": [*self.regions], "switches": dict(self.switches)}

    @classmethod
    def from_json(cls, text: str) -> "NamesAddress":
        """What the parameter holds.

        :raises RegionAddressError: when that is no address.
        """
        return _read(cls, text)


def _read(kind: type[_Address], text: str) -> _Address:
    names = {one.name for one in fields(kind)}
    try:
        value = json.loads(text)
        return kind(**{name: one for name, one in value.items() if name in names})
    except (ValueError, AttributeError, TypeError) as problem:
        raise RegionAddressError(
            f"an address of regions must hold {', '.join(sorted(names))}, got {text!r}"
        ) from problem

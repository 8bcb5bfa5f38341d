"""Where a train goes, as values: stops, and the waves that they are in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from mlplatform_cdk.core import is_known

_NAME = re.compile(r"[a-z0-9](-?[a-z0-9]){0,31}")
_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")
# STS's ExternalId in the service model.
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}")
_LONGEST_APPROVAL = timedelta(days=300)  # an execution lives a year


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """An endpoint that a train brings versions to; its stack has a ``TrainStation`` for it.

    :param name: what people call it, such as ``prod-eu``.
    :param account: the account of the endpoint.
    :param region: its region.
    :param endpoint_name: the endpoint.
    :param external_id: what the station's role asks for, the same as there; not a secret, yet hard to guess.
    """

    name: str
    account: str
    region: str
    endpoint_name: str
    external_id: str

    def __post_init__(self) -> None:
        """Refuse a stop that is nowhere."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a stop's name must be 1 to 32 lower-case letters, digits and hyphens, got {self.name!r}")
        if is_known(self.account) and not _ACCOUNT.fullmatch(self.account):
            raise ValueError(f"account must have 12 digits, got {self.account!r}")
        if is_known(self.region) and not _REGION.fullmatch(self.region):
            raise ValueError(f"region must be one such as 'eu-west-1', got {self.region!r}")
        check_external_id(self.external_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Stops that are released to at the same time.

    :param name: what people call it, such as ``production``.
    :param stops: where it goes.
    :param approval: somebody is asked before it departs, and may take so long; None: nobody is asked.
    """

    name: str
    stops: Sequence[Stop]
    approval: timedelta | None = None

    def __post_init__(self) -> None:
        """Refuse a wave that goes nowhere."""
        if not self.stops:
            raise ValueError(f"wave {self.name} must have a stop, got none")
        if self.approval is not None and not timedelta(seconds=1) <= self.approval <= _LONGEST_APPROVAL:
            raise ValueError(
                f"approval must be from a second to {_LONGEST_APPROVAL.days} days, got {self.approval}; "
                "leave it out to ask nobody"
            )


def check_external_id(external_id: str) -> None:
    """Refuse what STS would refuse.

    :raises ValueError: when it is no external id.
    """
    if is_known(external_id) and not _EXTERNAL_ID.fullmatch(external_id):
        raise ValueError(
            f"external_id must be 2 to 1224 letters, digits or any of _+=,.@:/-, got {len(external_id)} characters"
        )


def role_name(endpoint_name: str, region: str) -> str:
    """The station's role, which the train knows before the station is deployed; a role is of all regions."""
    return f"{endpoint_name}-train-{region}"


def parameter_name(endpoint_name: str) -> str:
    """The parameter by which a station says what it has."""
    return f"/mlplatform/train/{endpoint_name}"

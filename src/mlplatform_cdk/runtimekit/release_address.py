"""Where the releases of an endpoint live: what the template publishes about them, and the command line reads.

One SSM parameter per endpoint, under a path that whoever knows the endpoint's name knows too.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from mlplatform_cdk.runtimekit.errors import KnownError

PREFIX = "/mlplatform/releases/"


class AddressError(KnownError):
    """A parameter that does not say where the releases of an endpoint live."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAddress:
    """What one needs to know to follow and to start releases. A text may be a token while the template is built.

    :param endpoint: the endpoint's name.
    :param machine: the ARN of the state machine.
    :param table: the name of the table of records.
    :param bus: the name of the bus that the steps' events go to.
    :param instance_type: what a fleet runs on.
    :param minimum: instances of a fleet at rest.
    :param maximum: instances of a fleet at most.
    :param strategy: how a release shifts, as ``Strategy.to_mapping`` gives it.
    :param group: the model package group whose versions are released; empty: it was not published.
    """

    endpoint: str
    machine: str
    table: str
    bus: str = "default"
    instance_type: str
    minimum: int
    maximum: int
    strategy: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""

    @property
    def parameter(self) -> str:
        """The name of the SSM parameter."""
        return f"{PREFIX}{self.endpoint}"

    @property
    def is_train(self) -> bool:
        """A train has stops of its own, and no fleet."""
        return not self.instance_type

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_json(cls, text: str) -> "ReleaseAddress":
        """What the parameter holds.

        :raises AddressError: when that is no address.
        """
        names = {one.name for one in fields(cls)}
        try:
            value = json.loads(text)
            return cls(**{name: one for name, one in value.items() if name in names})
        except (ValueError, AttributeError, TypeError) as problem:
            raise AddressError(
                f"an address of releases must hold {', '.join(sorted(names))}, got {text!r}"
            ) from problem

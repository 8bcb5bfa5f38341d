"""Where an A/B test lives: what the template publishes about it, and the command line reads.

One SSM parameter per test, under a path that whoever knows the test's name knows too.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from mlplatform_cdk.runtimekit.errors import KnownError

PREFIX = "/mlplatform/ab-tests/"


class AddressError(KnownError):
    """A parameter that does not say where an A/B test lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestAddress:
    """What one needs to know to follow a test and to stop it. A text may be a token while the template is built.

    :param name: the test's name.
    :param endpoint: whose variants it compares.
    :param machine: the ARN of its state machine.
    :param table: of its outcomes.
    :param records: the name of the table of records.
    :param bus: the name of the bus that the records' events go to.
    :param reports: where its reports lie, a URI.
    """

    __test__ = False  # pytest reads its name

    name: str
    endpoint: str
    machine: str
    table: str
    records: str
    bus: str
    reports: str

    @property
    def parameter(self) -> str:
        """The name of the SSM parameter."""
        return f"{PREFIX}{self.name}"

    def to_mapping(self) -> Mapping[str, str]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_json(cls, text: str) -> "TestAddress":
        """What the parameter holds.

        :raises AddressError: when that is no address.
        """
        names = sorted(one.name for one in fields(cls))
        try:
            value = json.loads(text)
            return cls(**{name: value[name] for name in names})
        except (ValueError, KeyError, TypeError) as problem:
            raise AddressError(f"an address of an A/B test must hold {', '.join(names)}, got {text!r}") from problem

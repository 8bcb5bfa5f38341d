"""Who works in Studio, and the machines that they work on, as values."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
App = Literal["JupyterLab", "CodeEditor"]
_SMALLEST_DISK, _GREATEST_DISK = 5, 16384


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A machine with a disk, started when somebody opens it and stopped when idle.

    :param name: letters, digits and inner hyphens.
    :param app: what opens in it.
    :param shared: may everybody in the domain use it; default: its owner alone.
    :param instance_type: an ``ml.`` type; default: ``ml.t3.medium``.
    :param disk_gib: the disk's size in GiB; default: 5, the smallest.
    """

    name: str
    app: App
    shared: bool = False
    instance_type: str = "ml.t3.medium"
    disk_gib: int = _SMALLEST_DISK

    def __post_init__(self) -> None:
        """Refuse a name, an app or a disk that SageMaker would refuse."""
        _require_name("space", self.name)
        if self.app not in get_args(App):
            raise ValueError(f"the space {self.name!r} needs an app of {', '.join(get_args(App))}, got {self.app!r}")
        if not _SMALLEST_DISK <= self.disk_gib <= _GREATEST_DISK:
            raise ValueError(
                f"the space {self.name!r} needs a disk_gib from {_SMALLEST_DISK} to {_GREATEST_DISK}, "
                f"got {self.disk_gib}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class UserProfile:
    """One person.

    :param name: letters, digits and inner hyphens.
    :param single_sign_on_user: the person's user name in Identity Center; default: none, for a domain with IAM's
        authentication.
    :param spaces: the machines that the person owns from the start; default: none, people make their own.
    """

    name: str
    single_sign_on_user: str | None = None
    spaces: tuple[Space, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a name that SageMaker would refuse."""
        _require_name("user profile", self.name)


def _require_name(what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"a {what}'s name must be 1 to 63 letters, digits and inner hyphens, got {name!r}")

"""The user's ``features.py``: which rows a request needs, and what the model is asked."""

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlplatform_cdk.runtimekit import aws

# Beside the top package, where the asset has it.
FOLDER = Path(__file__).parents[4] / "hook"
_MODULE = "features"


@dataclass(frozen=True, slots=True)
class Database:
    """This region's reader, for a driver that the folder brings along.

    :param host: where it listens.
    :param port: likewise.
    :param name: of the database.
    :param user: who reads.
    """

    host: str
    port: int
    name: str
    user: str

    def password(self) -> str:
        """A token of IAM's, good for connecting in the next 15 minutes, over TLS only."""
        token: str = aws.client("rds").generate_db_auth_token(
            DBHostname=self.host, Port=self.port, DBUsername=self.user
        )
        return token


@dataclass(frozen=True, slots=True)
class Context:
    """What ``inputs`` may know besides the request and its rows.

    :param database: this region's reader; None where the function has none.
    """

    database: Database | None


@dataclass(frozen=True, slots=True)
class Hook:
    """The user's functions."""

    keys: Callable[[Any], Sequence[Any]]
    inputs: Callable[[Any, Mapping[Any, Any]], Any]

    @classmethod
    def load(cls, folder: Path | None = None) -> "Hook":
        """Import the folder's module once; what it imports is found there, too."""
        place = str(folder or FOLDER)
        if place not in sys.path:
            sys.path.insert(0, place)
        module = importlib.import_module(_MODULE)
        inputs, context = module.inputs, Context(_database())
        # As a model's hooks: a further argument is for those that want it.
        if len(inspect.signature(inputs).parameters) > 2:  # noqa: PLR2004 - the request and its rows
            return cls(getattr(module, "keys", _no_keys), lambda request, rows: inputs(request, rows, context))
        return cls(getattr(module, "keys", _no_keys), inputs)


def _no_keys(_request: Any) -> Sequence[Any]:
    return ()


def _database() -> Database | None:
    if "DATABASE_HOST" not in os.environ:
        return None
    named = (os.environ[f"DATABASE_{name}"] for name in ("HOST", "PORT", "NAME", "USER"))
    host, port, name, user = named
    return Database(host, int(port), name, user)

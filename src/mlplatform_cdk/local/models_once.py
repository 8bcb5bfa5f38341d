"""AWS's service models, read once a process: each new session of boto3 would read megabytes of JSON again."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader

_read = cache(JSONFileLoader().load_file)


def read_models_once() -> None:
    """Let all sessions of this process share what they read; botocore changes none of it."""
    JSONFileLoader.load_file = _shared


def _shared(_loader: JSONFileLoader, path: str) -> Any:
    return _read(path)

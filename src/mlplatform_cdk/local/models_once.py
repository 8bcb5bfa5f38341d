"""AWS's service models, read once a process: each new session of boto3 would read megabytes of JSON again."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader

_load = JSONFileLoader.load_file
_read = cache(JSONFileLoader().load_file)


def read_models_once() -> None:
    """Let all sessions of this process share what they read, but S3's, of which botocore cuts ``/{Bucket}`` off."""
    JSONFileLoader.load_file = _shared


def _shared(loader: JSONFileLoader, path: str) -> Any:
    return _load(loader, path) if "/s3/" in path.replace("\\", "/") else _read(path)

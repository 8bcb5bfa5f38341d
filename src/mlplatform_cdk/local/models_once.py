"""AWS's service models, found and read once a process.

Each new session of boto3 would list 400 folders, read megabytes of JSON, and look at its own handlers again.
"""

from __future__ import annotations

import inspect
import json
import marshal
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

from botocore import hooks
from botocore.compat import accepts_kwargs
from botocore.loaders import JSONFileLoader, Loader

if TYPE_CHECKING:
    from collections.abc import Callable

_read = cache(JSONFileLoader().load_file)
_list_services = Loader.list_available_services
_list_versions = Loader.list_api_versions


def read_models_once() -> None:
    """Let all sessions of this process share what they find and read, but S3's operations: see ``_own_copy``."""
    JSONFileLoader.load_file = _shared
    Loader.list_available_services = _by_folders(_list_services)
    Loader.list_api_versions = _by_folders(_list_versions)
    hooks.accepts_kwargs = _accepts_kwargs


def _shared(_loader: JSONFileLoader, path: str) -> Any:
    is_cut = path.replace("\\", "/").endswith("/s3/2006-03-01/service-2")
    return marshal.loads(_own_copy(path)) if is_cut else _read(path)  # noqa: S302 -- this process's own bytes


@cache
def _own_copy(path: str) -> bytes:
    """S3's operations, to be had again whole: botocore cuts ``/{Bucket}`` off those that it is given."""
    return marshal.dumps(json.loads(json.dumps(_read.__wrapped__(path))))


def _by_folders(method: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """The same answer to all loaders that look in the same folders."""
    found: dict[tuple[str, ...], list[str]] = {}

    @wraps(method)
    def once(loader: Loader, *arguments: str, **named: str) -> list[str]:
        key = (*loader.search_paths, *arguments, *named.values())
        if key not in found:
            found[key] = method(loader, *arguments, **named)
        return found[key]

    return once


def _accepts_kwargs(handler: Any) -> Any:
    """What botocore asks of each handler of each session, without a whole signature."""
    code = getattr(handler, "__code__", None)
    return accepts_kwargs(handler) if code is None else code.co_flags & inspect.CO_VARKEYWORDS

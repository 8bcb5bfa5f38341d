"""SageMaker's contract for containers that hold many models: load, list, describe and unload under ``/models``.

409 for a model that is loaded, 404 for one that is not, 507 where there is no room, upon which SageMaker unloads what
it likes, and, beyond the contract, 504 for one whose load does not end: https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html
"""

from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson

from mlplatform_cdk.serving.container.errors import MethodNotAllowed, NotFound, RequestError
from mlplatform_cdk.serving.container.messages import Answer, Request
from mlplatform_cdk.serving.container.store import Entry, ModelStore
from mlplatform_cdk.serving.container.threads import begin

PREFIX = "/models"
_PAGE = 100
_LONGEST_NAME = 512


class ModelsApi:
    """Answers what is asked of ``/models``, and finds the model of an invocation.

    :param store: the models.
    :param root: the only folder that models are loaded from.
    """

    def __init__(self, store: ModelStore[Any], root: Path) -> None:
        self._store, self._root = store, root

    def hold(self, path: str) -> Entry[Any] | None:
        """The model that ``path`` invokes, until it is released; ``None`` where it is no path of an invocation.

        :raises NotFound: when the model is not loaded.
        """
        name = invoked(path)
        return None if name is None else self._store.hold(name)

    async def answer(self, request: Request) -> Answer:
        """The answer to ``request``; errors are raised as ``RequestError``.

        :param request: its path begins with ``/models``.
        """
        name = unquote(request.path.removeprefix(PREFIX).removeprefix("/"))
        if not name:
            if request.method == "GET":
                return self._list(request.query)
            _require(request, "GET", "POST")
            return await self._load(request.body)
        if "/" in name:
            raise NotFound(
                "the path must be /models, /models/NAME or /models/NAME/invoke, got another one below /models"
            )
        if request.method == "GET":
            return _json(_entry(name, self._store.url(name)))
        _require(request, "GET", "DELETE")
        url = self._store.url(name)
        await self._store.unload(name)
        return _json(_entry(name, url))

    def _list(self, query: str) -> Answer:
        names = self._store.names()
        after = parse_qs(query).get("next_page_token", [""])[0]
        later = [name for name in names if name > after]
        page = later[:_PAGE]
        answer: dict[str, Any] = {"models": [_entry(name, self._store.url(name)) for name in page]}
        if len(later) > _PAGE:
            answer["nextPageToken"] = page[-1]
        return _json(answer)

    async def _load(self, body: bytes) -> Answer:
        name, url = _asked(body)
        folder = await begin(lambda: _folder(url, self._root), "folder")
        await self._store.load(name, folder, url)
        return _json(_entry(name, url))


def invoked(path: str) -> str | None:
    """The model's name in ``/models/NAME/invoke``; ``None`` for any other path."""
    if path.startswith(PREFIX + "/") and path.endswith("/invoke"):
        name = unquote(path[len(PREFIX) + 1 : -len("/invoke")])
        return name if name and "/" not in name else None
    return None


def _asked(body: bytes) -> tuple[str, str]:
    try:
        value = orjson.loads(body)
    except ValueError as error:
        raise RequestError(f"the body must be JSON, got something else ({error})") from None
    name, url = (value.get("model_name"), value.get("url")) if isinstance(value, dict) else (None, None)
    if not (isinstance(name, str) and isinstance(url, str) and url and 0 < len(name) <= _LONGEST_NAME):
        raise RequestError('the body must be {"model_name": "...", "url": "..."}, got something else')
    if "/" in name:
        raise RequestError(f"a model's name must have no slash, got {name[:80]!r}")
    return name, url


def _folder(url: str, root: Path) -> Path:
    try:
        folder = Path(url).resolve()
        there = folder.is_dir()
    except (OSError, ValueError):  # too long, or with a zero byte
        raise RequestError(f"the model's url must be a path, got {url[:200]!r}") from None
    if not folder.is_relative_to(root.resolve()):
        raise RequestError(f"the model's url must be a folder under {root}, got {url[:200]!r}")
    if not there:
        raise NotFound(f"the model's url must be a folder that exists, got {url[:200]!r}")
    return folder


def _require(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise MethodNotAllowed(f"the method must be {' or '.join(methods)}, got {request.method}", methods)


def _entry(name: str, url: str) -> dict[str, str]:
    return {"modelName": name, "modelUrl": url}


def _json(value: object) -> Answer:
    return Answer(HTTPStatus.OK, orjson.dumps(value))

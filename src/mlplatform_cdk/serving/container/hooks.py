"""Code that a model brings along: an optional ``hooks.py`` beside ``manifest.json``, for what no manifest can say.

``preprocess(inputs)`` and ``postprocess(outputs)`` take and give tensors by name; ``stream(outputs)`` gives the bytes
of the answer piece by piece. Each may take a second argument, the ``Context`` of the request.
"""

import inspect
import sys
import types
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.manifest import Manifest, Tensor
from mlplatform_cdk.serving.container.errors import ModelFailed, RequestError

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.shared_cache import Features

HOOKS_NAME = "hooks.py"
STREAM_TYPE = "application/octet-stream"
Tensors = dict[str, NDArray[Any]]
_NAMES = ("preprocess", "postprocess", "stream")
_END = object()  # of a stream
_ERRORS = tuple(one for one in HTTPStatus if one >= HTTPStatus.BAD_REQUEST)
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
_LONGEST_ATTRIBUTES = 1024
_numbers = count()
_log = logs.logger("hooks")


class HooksError(KnownError):
    """A ``hooks.py`` with which the model cannot be served."""


@dataclass(slots=True)
class Context:
    """What a hook may know of a request, and say of its answer.

    :param attributes: SageMaker's custom attributes, as they came; the answer carries what a hook leaves here.
    :param inference_id: the caller's own id of this request; default: none.
    :param trace_id: the trace that the request belongs to; default: none.
    :param features: the shared cache, to look features up in; default: none is configured.
    """

    attributes: str = ""
    inference_id: str = ""
    trace_id: str = ""
    features: "Features | None" = None


class Hooks:
    """A model's own code, loaded once, under a module name of its own.

    :param module: what ``hooks.py`` made.
    :param manifest: says which tensors the model takes and gives.

    ``features`` is what every context gets as its features.
    """

    def __init__(self, module: types.ModuleType, manifest: Manifest) -> None:
        self._module, self._manifest = module, manifest
        self._preprocess, self._postprocess, self._stream = (_callable(module, name) for name in _NAMES)
        self.features: Features | None = None
        self.streams = self._stream is not None
        self.stream_type = str(getattr(module, "STREAM_CONTENT_TYPE", STREAM_TYPE))

    @classmethod
    def load(cls, folder: Path, manifest: Manifest, *, allowed: bool = True) -> "Hooks | None":
        """The hooks of the model in ``folder``; ``None`` where it brings none.

        :param folder: the unpacked model.
        :param manifest: the model's.
        :param allowed: whether a model may bring code; default: yes.
        :raises HooksError: when the file cannot be loaded, or holds no hook.
        """
        path = folder / HOOKS_NAME
        if not path.is_file():
            return None
        if not allowed:
            raise HooksError("a model may bring hooks.py only where ALLOW_HOOKS is true, got one and false")
        module = types.ModuleType(f"mlplatform_hooks_{next(_numbers)}")
        module.__file__ = str(path)
        sys.modules[module.__name__] = module  # dataclasses and pickles of the model look their module up there
        try:
            # Compiled here, since an import would write a cache beside it, or trust one that the archive brings.
            exec(compile(path.read_bytes(), str(path), "exec"), vars(module))  # noqa: S102 - it is the model's code
            return cls(module, manifest)
        except BaseException as error:
            del sys.modules[module.__name__]
            if isinstance(error, HooksError | KeyboardInterrupt):
                raise
            raise HooksError(f"hooks.py must load, got {_told(error)}") from error

    def close(self) -> None:
        """Forget the module."""
        sys.modules.pop(self._module.__name__, None)

    def before(self, inputs: Tensors, context: Context) -> Tensors:
        """What ``preprocess`` makes of a request's tensors; the same where there is none."""
        context.features = self.features
        if self._preprocess is None:
            return inputs
        given = self._call("preprocess", self._preprocess, inputs, context)
        return _tensors("preprocess", given, self._manifest.inputs)

    def after(self, outputs: Tensors, context: Context) -> Tensors:
        """What ``postprocess`` makes of an answer's tensors; the same where there is none."""
        if self._postprocess is None:
            return outputs
        given = self._call("postprocess", self._postprocess, outputs, context)
        return _tensors("postprocess", given, self._manifest.outputs)

    def parts(self, outputs: Tensors, context: Context) -> Iterator[bytes]:
        """The answer's bytes as ``stream`` gives them; an error in the midst of it ends it."""
        assert self._stream is not None
        made = self._call("stream", self._stream, outputs, context)
        parts = self._call("stream", lambda _, __: iter(made), outputs, context)
        while True:
            piece = self._call("stream", lambda _, __: _next_piece(parts), outputs, context)
            if piece is None:
                return
            yield piece

    def _call(self, name: str, hook: Callable[[Any, Context], Any], tensors: Tensors, context: Context) -> Any:
        before = context.attributes
        try:
            given = hook(tensors, context)
            if context.attributes is not before:
                _check_attributes(context.attributes)
        except BaseException as error:  # sys.exit, or a panic of Rust: it must not take the lane with it
            if isinstance(error, RequestError) and _can_be_said(error):
                raise  # the hook's own word to the caller
            request_id = uuid.uuid4().hex
            fields = {"request_id": request_id, "hook": name}
            fields |= {"model": self._manifest.model_name, "run_id": self._manifest.run_id}
            told = {"trace_id": context.trace_id, "inference_id": context.inference_id}
            fields |= {key: value for key, value in told.items() if value}
            _log.exception("a hook failed", extra=fields)
            raise ModelFailed(
                f"{name} of the model's hooks.py failed on this request; the log has the reason under the request id "
                f"{request_id}"
            ) from error
        return given


def _callable(module: types.ModuleType, name: str) -> Callable[[Any, Context], Any] | None:
    hook = getattr(module, name, None)
    if hook is None:
        if not any(hasattr(module, one) for one in _NAMES):
            raise HooksError(f"hooks.py must define one of {', '.join(_NAMES)}, got none of them")
        return None
    if not callable(hook):
        raise HooksError(f"{name} of hooks.py must be a function, got {type(hook).__name__}")
    try:
        inspect.signature(hook).bind(None, None)
    except TypeError:
        pass
    else:
        return hook  # type: ignore[no-any-return]
    try:
        inspect.signature(hook).bind(None)
    except TypeError:
        raise HooksError(f"{name} of hooks.py must take the tensors, or the tensors and the context") from None
    return lambda tensors, _context: hook(tensors)


def _tensors(name: str, given: object, wanted: tuple[Tensor, ...]) -> Tensors:
    """What a hook gave, as the arrays that come next."""
    names = [one.name for one in wanted]
    if not isinstance(given, Mapping) or set(given) != set(names):
        came = ", ".join(map(str, given)) if isinstance(given, Mapping) else type(given).__name__
        raise ModelFailed(f"{name} of the model's hooks.py must give {', '.join(names)}, got {came or 'nothing'}")
    return {one.name: _array(name, given[one.name], one) for one in wanted}


def _array(name: str, value: object, wanted: Tensor) -> NDArray[Any]:
    dtype = np.dtype(object if wanted.dtype == "string" else wanted.dtype)
    try:
        array = np.ascontiguousarray(value, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise ModelFailed(
            f"{name} of the model's hooks.py must give {wanted.name} as {wanted.dtype}, got {_told(error)}"
        ) from None
    if array.ndim != len(wanted.shape):
        raise ModelFailed(
            f"{name} of the model's hooks.py must give {wanted.name} with {len(wanted.shape)} dimensions, "
            f"got {array.ndim}"
        )
    return array


def _check_attributes(given: object) -> None:
    """What the answer's head shall carry must fit into it."""
    if not isinstance(given, str) or not (given.isascii() and given.isprintable()):
        raise ValueError(f"context.attributes must be printable ASCII, got {given!r:.200}")
    if len(given) > _LONGEST_ATTRIBUTES:
        raise ValueError(f"context.attributes must have at most {_LONGEST_ATTRIBUTES} characters, got {len(given)}")


def _can_be_said(error: RequestError) -> bool:
    """Whether an answer can hold what a hook raised: an error's status, and headers of printable text."""
    try:
        told = [text for name, value in error.headers for text in (name, value)]
        return error.status in _ERRORS and all(text.isascii() and text.isprintable() for text in told)
    except (AttributeError, TypeError, ValueError):
        return False


def _next_piece(parts: Iterator[object]) -> bytes | None:
    part = next(parts, _END)
    if part is _END:
        return None
    if isinstance(part, str):
        return part.encode()
    if isinstance(part, bytes | bytearray | memoryview):
        return bytes(part)
    raise TypeError(f"stream must give bytes or texts, got {type(part).__name__}")


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".replace("\n", " ")

"""Whether a server's answers are right: asked before and after a measurement, whose generator does not read them."""

import http.client
import json
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import onnxruntime

from benchmarks.serving.wire import Body

_SECONDS, _LEAST = 0.2, 3  # also a warm-up, where nothing has been asked for a while
_OK = 200


class WrongAnswerError(Exception):
    """A server answered, and not what the model says."""


def outputs(model: Path, tensor: str, rows: Any) -> dict[str, Any]:
    """What ONNX Runtime makes of ``rows``, by output.

    :param model: the ONNX file.
    :param tensor: the name of its input.
    """
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, {tensor: rows}), strict=True))


def check(url: str, body: Body) -> None:
    """Ask with ``body`` one by one for a moment; every answer must hold the outputs that ``body`` expects.

    :raises WrongAnswerError: when one does not.
    """
    parts = urlsplit(url)
    assert parts.hostname
    client = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    count, until = 0, perf_counter() + _SECONDS
    while count < _LEAST or perf_counter() < until:
        client.request("POST", parts.path, body.content, {"Content-Type": body.content_type})
        response = client.getresponse()
        text = response.read()
        if response.status != _OK or not _is_right(json.loads(text), body):
            raise WrongAnswerError(f"{url} must answer with {body.expected}, got {response.status}: {text[:300]!r}")
        count += 1
    client.close()


def _is_right(document: Any, body: Body) -> bool:
    came = document["outputs"]
    if isinstance(came, list):  # Triton's
        came = {one["name"]: one["data"] for one in came}
    return came.keys() == body.expected.keys() and all(
        np.allclose(np.ravel(came[name]), np.ravel(wanted), rtol=0, atol=body.tolerance)
        for name, wanted in body.expected.items()
    )

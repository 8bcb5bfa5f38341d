"""What every peer serves: the same ONNX file, the same JSON, CSV and npy bodies, by the fastest codecs at hand.

It runs in the peers' own environments, which hold numpy, onnxruntime and orjson, and nothing of this library.
"""

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import orjson
from numpy.typing import NDArray

Array = NDArray[Any]
JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"


class OnnxModel:
    """The model that the environment names: ``MODEL`` is its folder, ``PRECISION`` its file, ``THREADS`` per call."""

    def __init__(self) -> None:
        folder = Path(os.environ["MODEL"])
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        wanted = os.environ.get("PRECISION", "fp32")
        (file,) = [one["path"] for one in manifest["files"] if one["precision"] == wanted]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("THREADS", "1"))
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(str(folder / file), options, ["CPUExecutionProvider"])
        self.input = manifest["inputs"][0]["name"]
        self.dtype = np.dtype(manifest["inputs"][0]["dtype"])
        self.outputs = [one["name"] for one in manifest["outputs"]]
        self.labels = manifest.get("labels") or []

    def decode(self, body: bytes, content_type: str = JSON) -> Array:
        """The rows of a body."""
        if content_type == NPY:
            return np.load(io.BytesIO(body), allow_pickle=False)  # type: ignore[no-any-return]
        if content_type == CSV:
            return np.loadtxt(io.StringIO(body.decode()), delimiter=",", dtype=self.dtype, ndmin=2)
        return self.decode_values(orjson.loads(body))

    def decode_values(self, document: dict[str, Any]) -> Array:
        """The rows of a JSON document that was parsed already."""
        return self.rows(document["inputs"][self.input])

    def rows(self, values: Sequence[Any]) -> Array:
        """Lists of numbers as an array."""
        return np.asarray(values, dtype=self.dtype)

    def run(self, rows: Array) -> list[Array]:
        """The outputs for ``rows``."""
        return self.session.run(self.outputs, {self.input: rows})  # type: ignore[no-any-return]

    def run_many(self, parts: Sequence[Array]) -> list[list[Array]]:
        """The outputs for each of several requests, computed as one batch."""
        if len(parts) == 1:
            return [self.run(parts[0])]
        outputs = self.run(np.concatenate(parts))
        ends = np.cumsum([len(one) for one in parts])
        return [[output[end - len(one) : end] for output in outputs] for one, end in zip(parts, ends, strict=True)]

    def encode(self, outputs: Sequence[Array]) -> bytes:
        """The JSON that our own server answers with."""
        first = outputs[0]
        labels = [self.labels[int(one)] for one in first] if self.labels else []
        named = dict(zip(self.outputs, outputs, strict=True))
        return orjson.dumps({"outputs": named, "labels": labels}, option=orjson.OPT_SERIALIZE_NUMPY)

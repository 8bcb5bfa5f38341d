"""What reading and writing a body costs: the container's codecs beside the standard library and numpy.

    python -m benchmarks.serving.codecs [--seconds 0.5]

All ways of a case take turns in one run, so that a busy machine slows each alike; the best of the rounds counts. Every
way is first seen to give the same numbers.
"""

import argparse
import io
import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import GoldenRequest, Manifest, ModelFile, Tensor
from mlplatform_cdk.serving.container.codecs import Codec
from mlplatform_cdk.serving.container.limits import Limits

_COLUMNS, _ROWS, _PIXELS = 30, 1000, 224
_SEED = 20260101
_TARGETS_US = {"npy, 1 x 3 x 224 x 224 (602 KB)": 10.0, "CSV, 1,000 x 30": 3000.0}
_JSON, _CSV, _NPY = "application/json", "text/csv", "application/x-npy"
Way = Callable[[], Any]


def main() -> None:
    """Print a table: microseconds of ours, and how many times that the other ways take."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving.codecs", description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each case and way")
    seconds = parser.parse_args().seconds
    lines = ["| case | ours, µs | target, µs | the others, as a multiple |", "|---|---:|---:|---|"]
    missed = []
    for case, ways in (_reading() | _writing()).items():
        _check(case, ways)
        best = _best(ways, seconds)
        ours = best.pop("ours")
        others = ", ".join(f"{name} {other / ours:.1f}" for name, other in best.items())
        target = _TARGETS_US.get(case)
        lines.append(f"| {case} | {ours:,.2f} | {f'{target:,.0f}' if target else ''} | {others} |")
        missed += [case] if target is not None and ours > target else []
    sys.stdout.write("\n".join(lines) + "\n")
    if missed:
        sys.exit(f"over the target: {'; '.join(missed)}")


def _reading() -> dict[str, dict[str, Way]]:
    random = np.random.default_rng(_SEED)
    table = (random.normal(0, 100, (_ROWS, _COLUMNS))).astype(np.float64)
    picture = random.random((1, 3, _PIXELS, _PIXELS), dtype=np.float32)
    tabular, image = _codec("batch", _COLUMNS), _codec("batch", 3, _PIXELS, _PIXELS)
    one = json.dumps({"instances": table[:1].tolist()}).encode()
    many = json.dumps({"instances": table.tolist()}).encode()
    text = "\n".join(",".join(map(repr, row)) for row in table.tolist()).encode()
    lines = "\n".join(map(json.dumps, table.tolist())).encode()
    npy = _saved(picture)
    return {
        "JSON, 1 x 30": _json_ways(tabular, one),
        "JSON, 1,000 x 30": _json_ways(tabular, many),
        "JSON Lines, 1,000 x 30": {
            "ours": lambda: tabular.decode(lines, "application/jsonlines")["x"],
            "json, numpy": lambda: np.array([json.loads(line) for line in lines.splitlines()], np.float32),
        },
        "CSV, 1,000 x 30": {
            "ours": lambda: tabular.decode(text, _CSV)["x"],
            "float, numpy": lambda: np.array(
                [[*map(float, line.split(b","))] for line in text.split(b"\n")], np.float32
            ),
            "np.loadtxt": lambda: np.loadtxt(io.BytesIO(text), np.float32, delimiter=","),
            "np.genfromtxt": lambda: np.genfromtxt(io.BytesIO(text), np.float32, delimiter=","),
        },
        "npy, 1 x 3 x 224 x 224 (602 KB)": {
            "ours": lambda: image.decode(npy, _NPY)["x"],
            "np.load": lambda: np.load(io.BytesIO(npy)),
        },
    }


def _json_ways(codec: Codec, body: bytes) -> dict[str, Way]:
    return {
        "ours": lambda: codec.decode(body, _JSON)["x"],
        "json, numpy": lambda: np.array(json.loads(body)["instances"], np.float32),
        "orjson, numpy": lambda: np.array(orjson.loads(body)["instances"], np.float32),
    }


def _writing() -> dict[str, dict[str, Way]]:
    random = np.random.default_rng(_SEED)
    codec = _codec("batch", _COLUMNS)
    cases: dict[str, dict[str, Way]] = {}
    for rows in (1, _ROWS):
        outputs = {"y": random.random((rows, 2), dtype=np.float32)}
        cases[f"answer in JSON, {rows:,} x 2"] = _answer_ways(codec, outputs, _JSON)
        cases[f"answer in CSV, {rows:,} x 2"] = _answer_ways(codec, outputs, _CSV)
        cases[f"answer in npy, {rows:,} x 2"] = _answer_ways(codec, outputs, _NPY)
    return cases


def _answer_ways(codec: Codec, outputs: Mapping[str, NDArray[Any]], kind: str) -> dict[str, Way]:
    array = outputs["y"]
    others: dict[str, dict[str, Way]] = {
        _JSON: {"json": lambda: json.dumps({"outputs": {"y": array.tolist()}}).encode()},
        _CSV: {"np.savetxt": lambda: _written(array)},
        _NPY: {"np.save": lambda: _saved(array)},
    }
    return {"ours": lambda: codec.encode(outputs, kind), **others[kind]}


def _check(case: str, ways: Mapping[str, Way]) -> None:
    """Refuse to time ways that do not give the same."""
    given = {name: _numbers(way()) for name, way in ways.items()}
    for name, numbers in given.items():
        if not np.array_equal(numbers, given["ours"]):
            sys.exit(f"{case}: {name} must give what ours gives, got other numbers")


def _numbers(came: Any) -> NDArray[Any]:
    if not isinstance(came, bytes):
        return np.asarray(came)
    if came.startswith(b"{"):
        return np.array(json.loads(came)["outputs"]["y"], np.float32)
    if came.startswith(b"\x93"):
        return np.asarray(np.load(io.BytesIO(came)))
    return np.loadtxt(io.BytesIO(came), np.float32, delimiter=",", ndmin=2)


def _best(ways: Mapping[str, Way], seconds: float) -> dict[str, float]:
    """The least microseconds of a call, by way; the ways take turns."""
    counts = {name: max(1, int(0.01 / _timed(way, 1))) for name, way in ways.items()}
    best = dict.fromkeys(ways, float("inf"))
    until = time.perf_counter() + seconds * len(ways)
    while time.perf_counter() < until:
        for name, way in ways.items():
            best[name] = min(best[name], _timed(way, counts[name]) * 1e6)
    return best


def _timed(way: Way, count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        way()
    return (time.perf_counter() - began) / count


def _saved(array: NDArray[Any]) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def _written(array: NDArray[Any]) -> bytes:
    content = io.BytesIO()
    np.savetxt(content, array, delimiter=",", fmt="%.9g")
    return content.getvalue()


def _codec(*shape: int | str) -> Codec:
    """The codec of a model that exists on paper only."""
    manifest = Manifest(
        model_name="paper",
        run_id="benchmark",
        dataset_version="none",
        dataset_uri="none",
        code_version="none",
        algorithm={},
        files=(ModelFile(precision="fp32", path="model.onnx", opset=17, sha256=""),),
        inputs=(Tensor(name="x", dtype="float32", shape=shape),),
        outputs=(Tensor(name="y", dtype="float32", shape=("batch", 2)),),
        content_types=(_JSON, _CSV, _NPY, "application/jsonlines"),
        preprocessing=(),
        golden_requests=(GoldenRequest(name="none", inputs={"x": []}, outputs={"y": []}),),
        latency_budget_ms=100,
    )
    return Codec(manifest, Limits())


if __name__ == "__main__":
    main()

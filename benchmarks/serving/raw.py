"""ONNX Runtime alone in a process: what no server can beat, and what ours is held against.

    python -m benchmarks.serving.raw MODEL_FILE INPUT_NPY --lanes 2 --seconds 3

Every lane is a thread that asks one shared session of one thread; and one lane may have all cores.
"""

import argparse
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime


def per_second(path: Path, rows: Any, *, lanes: int, threads: int, seconds: float) -> float:
    """Calls a second.

    :param path: the model's file.
    :param rows: the input of one call.
    :param lanes: how many callers there are.
    :param threads: how many threads compute one call.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: rows}
    for _ in range(3):
        session.run(None, inputs)
    counts, until = [0] * lanes, time.perf_counter() + seconds

    def lane(number: int) -> None:
        while time.perf_counter() < until:
            session.run(None, inputs)
            counts[number] += 1

    began = time.perf_counter()
    callers = [threading.Thread(target=lane, args=(number,)) for number in range(lanes)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return sum(counts) / (time.perf_counter() - began)


def main() -> None:
    """Print calls a second as JSON: many lanes of one thread, one lane of many threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0)
    told = parser.parse_args()
    rows, half = np.load(told.rows), told.seconds / 2
    found = {
        "lanes": per_second(told.model, rows, lanes=told.lanes, threads=1, seconds=half),
        "one call on all cores": per_second(told.model, rows, lanes=1, threads=told.lanes, seconds=half),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()

"""What no server passes: a program in C that reads requests and writes one fixed answer, without a look at either.

How often it answers is what the load generator, the kernel and the machine allow; ``socket_alone.c``. Without a C
compiler it is left out.
"""

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from benchmarks.serving.servers import Running, Server
from benchmarks.serving.wire import Body

_SOURCE = Path(__file__).with_suffix(".c")
_NAME = "the socket alone (C)"
_START_S, _LOOK_S = 5.0, 0.01


@contextmanager
def running(body: Body, *, spinning: bool = False) -> Iterator[list[tuple[Running, Body]]]:
    """The program, and ``body``; empty where there is no compiler.

    :param body: of the requests; what it expects is the answer.
    :param spinning: whether it looks at its socket all the time, which takes a core, in place of waiting; nothing else
        can be measured beside it then.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        yield []
        return
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "socket_alone"
        subprocess.run([compiler, "-O2", "-o", str(program), str(_SOURCE)], check=True)  # noqa: S603
        with _started(program, body, spinning=spinning) as started:
            yield [(started, body)]


@contextmanager
def _started(program: Path, body: Body, *, spinning: bool) -> Iterator[Running]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [str(program), str(port), str(len(body.content)), "spin" if spinning else "wait"]
    server = Server(name=f"{_NAME}, spinning" if spinning else _NAME, environment="")
    began = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:  # noqa: S603
        try:
            assert process.stdin is not None
            process.stdin.write(_answer(body))
            process.stdin.close()
            _wait(port)
            seconds = time.perf_counter() - began
            yield Running(server=server, pid=process.pid, port=port, first_answer_s=seconds)
        finally:
            process.kill()


def _answer(body: Body) -> bytes:
    outputs = {name: np.asarray(one).tolist() for name, one in body.expected.items()}
    text = json.dumps({"outputs": outputs}, separators=(",", ":")).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(text), text)


def _wait(port: int) -> None:
    until = time.perf_counter() + _START_S
    while time.perf_counter() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(_LOOK_S)
    raise RuntimeError(f"the program that answers by itself must listen on port {port}, got nothing there")

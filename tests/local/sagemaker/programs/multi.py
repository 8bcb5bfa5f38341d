"""A multi-model container with room for two models, which streams, dies or loses its models when told to."""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOM = 2

assert sys.argv[1:] == ["serve"], sys.argv
assert os.environ["SAGEMAKER_MULTI_MODEL"] == "true"
models: dict[str, Path] = {}
log: list[str] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        self.answer(200, b"")

    def do_DELETE(self) -> None:
        path = models.pop(self.path.split("/")[2])
        log.append(f"unload {(path / 'name.txt').read_text()}")
        self.answer(200, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/models":
            self.answer(*load(**json.loads(body)))
        elif body == b"lose":
            models.clear()
            self.answer(200, b"{}")
        else:
            path = models.get(self.path.split("/")[2])
            if path is None:
                self.answer(404, b"not loaded")
                return
            seen = {"who": (path / "name.txt").read_text(), "log": log, "target": self.headers[TARGET]}
            self.answer(200, json.dumps(seen).encode())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Stay silent."""


TARGET = "X-Amzn-SageMaker-Target-Model"


def load(model_name: str, url: str) -> tuple[int, bytes]:
    folder = Path(url)
    if model_name in models:
        return 409, b""
    if len(models) >= ROOM:
        return 507, b"full"
    if not (folder / "name.txt").exists():
        return 500, b"no model in there"
    time.sleep(0.05)
    models[model_name] = folder
    log.append(f"load {(folder / 'name.txt').read_text()}")
    return 200, b""


ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()

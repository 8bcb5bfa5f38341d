"""A model's container: answers who it is; dies, fails or never gets healthy when told to."""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

assert sys.argv[1:] == ["serve"], sys.argv
model = Path(os.environ["SAGEMAKER_BASE_DIR"]) / "model" / "name.txt"
who = model.read_text() if model.exists() else "nobody"
behaviour = os.environ.get("BEHAVIOUR", "serve")
BATCH = ("SAGEMAKER_BATCH", "SAGEMAKER_MAX_", "OF_THE_JOB")
REFUSALS = {b"refuse": (400, b"what is this?"), b"break": (500, b"out of order")}
sys.stderr.write(f"serving {who}\n")
if behaviour == "crash":
    sys.exit("no such model")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet per answer

    def do_GET(self) -> None:
        self.answer(503 if behaviour == "unhealthy" else 200, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"die":
            os._exit(1)
        if body == b"slow":
            time.sleep(2)
        if body in REFUSALS:
            self.answer(*REFUSALS[body])
            return
        if body in (b"stream", b"break off"):
            self.stream(whole=body == b"stream")
            return
        seen = {
            "who": who,
            "pid": os.getpid(),
            "length": len(body),
            "type": self.headers["Content-Type"],
            "accept": self.headers["Accept"],
            "attributes": self.headers["X-Amzn-SageMaker-Custom-Attributes"],
            "inference_id": self.headers["X-Amzn-SageMaker-Inference-Id"],
            "batch": {name: value for name, value in os.environ.items() if name.startswith(BATCH)},
        }
        self.answer(200, json.dumps(seen).encode())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Amzn-SageMaker-Custom-Attributes", "from=container")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, *, whole: bool) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (b"one", b"two", b"three") if whole else (b"one",):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()
        if whole:
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Stay silent."""


ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()

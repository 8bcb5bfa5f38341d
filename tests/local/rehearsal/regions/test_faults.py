"""Does a fault begin and end, and is the model wrong where it is told to be, and right everywhere else?"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.local.rehearsal.regions.faults import DELAY_MS, FRONTS, Fronts, Kind
from mlplatform_cdk.local.settings import Settings


def test_one_archive_is_wrong_in_one_region_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fronts = Fronts(Settings(state_dir=tmp_path), tmp_path)
    hooks: dict[str, Any] = {}

    def answered(region: str) -> dict[str, int]:
        monkeypatch.setenv("AWS_REGION", region)
        exec(compile(fronts.model().hooks or "", "hooks.py", "exec"), hooks)
        found: dict[str, int] = hooks["postprocess"]({"label": 1, "score": 3})
        return found

    (tmp_path / "eu-west-1").touch()

    assert answered("eu-west-1") == {"label": 0, "score": -3}
    assert answered("us-east-1") == {"label": 1, "score": 3}


class Server:
    """The embedded AWS's own port, as far as fronts are asked there."""

    def __init__(self) -> None:
        self.fronts: dict[str, dict[str, Any]] = {"eu-west-1": {"port": 40123, "state": "up", "delay_ms": 0.0}}
        ours = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer()

            def do_PUT(self) -> None:
                changes = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for region, change in changes.items():
                    ours.fronts[region] |= change
                self.answer()

            def answer(self) -> None:
                self.send_response(200 if self.path == FRONTS else 404)
                self.end_headers()
                self.wfile.write(json.dumps(ours.fronts).encode())

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize(
    ("kind", "state", "delay_ms", "is_wrong"),
    [
        ("killed", "shut", 0.0, False),
        ("hanging", "hangs", 0.0, False),
        ("slow", "up", DELAY_MS, False),
        ("wrong", "up", 0.0, True),
    ],
)
def test_a_fault_begins_and_ends(
    server: Server, tmp_path: Path, kind: Kind, state: str, delay_ms: float, *, is_wrong: bool
) -> None:
    fronts = Fronts(Settings(state_dir=tmp_path, port=int(server.server.server_address[1])), tmp_path)
    front = server.fronts["eu-west-1"]

    fronts.strike("eu-west-1", kind)
    struck = (front["state"], front["delay_ms"], (tmp_path / "eu-west-1").exists())
    fronts.restore("eu-west-1")

    assert struck == (state, delay_ms, is_wrong)
    assert (front["state"], front["delay_ms"], (tmp_path / "eu-west-1").exists()) == ("up", 0.0, False)
    assert fronts.look() == {"eu-west-1": 40123}

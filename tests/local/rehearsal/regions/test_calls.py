"""Do callers by DNS follow the name, and is each call written down?"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest
from botocore.credentials import Credentials

from mlplatform_cdk.local.rehearsal.regions.calls import ByName, Call, How, Load
from mlplatform_cdk.local.resolver.records import Reply
from mlplatform_cdk.local.resolver.resolver import CachingResolver

NAME, HERE, THERE = "models.example.com", "eu-west-1", "us-east-1"
REGIONS = {"d-1.example": HERE, "d-2.example": THERE}


class Name:
    """Where the name leads."""

    def __init__(self, *values: str) -> None:
        self.values = values

    def answer(self, name: str) -> Reply:
        return Reply(values=self.values, ttl_s=60, path=(name,))


class Front:
    """A region's API: says what it was asked, and where."""

    def __init__(self) -> None:
        self.status, self.seen = 200, dict[str, str]()
        front = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                front.seen = dict(self.headers.items())
                self.send_response(front.status)
                self.end_headers()
                self.wfile.write(b"answer to " + body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = ("127.0.0.1", int(self.server.server_address[1]))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def front() -> Iterator[Front]:
    made = Front()
    yield made
    made.close()


def by_name(name: Name, front: Front) -> ByName:
    return ByName(
        [cast("CachingResolver", name)],
        NAME,
        HERE,
        regions=REGIONS,
        ports={THERE: front.place},
        credentials=Credentials("key", "secret"),
    )


def test_a_caller_goes_where_the_name_leads_and_signs_for_that_region(front: Front) -> None:
    answer = by_name(Name("d-2.example"), front).ask(b"{}")

    assert answer == (THERE, True, "answer to {}")
    assert front.seen["Host"] == NAME
    assert f"/{THERE}/execute-api/" in front.seen["Authorization"]


def test_an_error_and_a_region_that_is_gone_are_failures(front: Front) -> None:
    caller = by_name(Name("d-2.example"), front)
    front.status = 503
    refused = caller.ask(b"{}")
    front.close()
    region, answered, text = caller.ask(b"{}")

    assert refused == (THERE, False, "status 503: answer to {}")
    assert (region, answered) == (THERE, False)
    assert text.startswith("ConnectionRefusedError")


@pytest.mark.parametrize("name", [Name(), Name("d-3.example")])
def test_a_name_that_leads_nowhere_is_a_failure(front: Front, name: Name) -> None:
    assert by_name(name, front).ask(b"{}") == ("", False, f"{NAME} leads nowhere")


class Caller:
    """Answers at once."""

    def __init__(self, how: How) -> None:
        self.how: How = how
        self.near = HERE

    def ask(self, body: bytes) -> tuple[str, bool, str]:
        return THERE, True, body.decode()


def test_all_callers_call_at_the_rate_and_each_call_is_written_down() -> None:
    began = time.time()
    with Load([Caller("plain"), Caller("client")], b"body", rate=200) as load:
        while len(load.so_far()) < 40:
            time.sleep(0.01)
    calls = load.so_far()

    assert {one.how for one in calls} == {"plain", "client"}
    assert calls[0] == Call(
        how=calls[0].how,
        near=HERE,
        sent=calls[0].sent,
        seconds=calls[0].seconds,
        region=THERE,
        answered=True,
        text="body",
    )
    assert all(began <= one.sent <= time.time() for one in calls)

"""Callers that never pause: requests over HTTP, signed as boto3 signs them, at a steady rate, each one written down."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from typing import TYPE_CHECKING, Self

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from mlplatform_cdk.local.rehearsal.ledger import Ledger, Request
from mlplatform_cdk.local.settings import HOST

if TYPE_CHECKING:
    from types import TracebackType

    from mlplatform_cdk.local.settings import Settings

VARIANT = "x-Amzn-Invoked-Production-Variant"
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
TIMEOUT_SECONDS = 30.0
CALLERS = 16
OK = 200


class Load:
    """Requests to one endpoint, for the block.

    :param settings: the embedded AWS.
    :param endpoint_name: whom to ask.
    :param body: what to ask, as JSON.
    :param rate: requests a second; a caller that waits for an answer asks nothing else meanwhile.
    :param ledger: where each request is written down.

    Every request carries its number as SageMaker's custom attributes.
    """

    def __init__(self, settings: Settings, endpoint_name: str, body: bytes, *, rate: float, ledger: Ledger) -> None:
        self._settings, self._body, self._ledger = settings, body, ledger
        self._path = f"/endpoints/{endpoint_name}/invocations"
        self._headers = _signed(settings, self._path, body)
        self._every = CALLERS / rate
        self._numbers = itertools.count()
        self._over = threading.Event()
        self._callers = [threading.Thread(target=self._ask, args=(place,), daemon=True) for place in range(CALLERS)]

    def __enter__(self) -> Self:
        """Begin to ask."""
        for caller in self._callers:
            caller.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Wait for the last answers."""
        self._over.set()
        for caller in self._callers:
            caller.join()

    def _ask(self, place: int) -> None:
        due = time.monotonic() + self._every * place / CALLERS
        while not self._over.wait(max(0.0, due - time.monotonic())):
            self._ledger.add(self._one())
            due = max(due + self._every, time.monotonic())

    def _one(self) -> Request:
        number, sent = next(self._numbers), time.time()
        began = time.perf_counter()
        variant, status, text = None, 0, ""
        connection = http.client.HTTPConnection(HOST, self._settings.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("POST", self._path, self._body, self._headers | {ATTRIBUTES: f"n={number}"})
            answer = connection.getresponse()
            text, status, variant = answer.read().decode(errors="replace"), answer.status, answer.getheader(VARIANT)
        except (OSError, http.client.HTTPException) as failure:
            text = f"{type(failure).__name__}: {failure}"
        finally:
            connection.close()
        return Request(
            number=number,
            sent=sent,
            seconds=time.perf_counter() - began,
            status=status,
            variant=variant,
            text=text if status == OK else _message(text),
        )


def _signed(settings: Settings, path: str, body: bytes) -> dict[str, str]:
    """Headers of a request as boto3 would send it; the embedded AWS checks no signature, only who signed for what."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    request = AWSRequest("POST", f"{settings.endpoint_url}{path}", headers=headers, data=body)
    SigV4Auth(Credentials(settings.account, "embedded"), "sagemaker", settings.region).add_auth(request)
    return dict(request.headers.items())


def _message(text: str) -> str:
    try:
        said = json.loads(text)
    except ValueError:
        return text
    return str(said.get("Message", text)) if isinstance(said, dict) else text

"""An endpoint of two variants that tests teach what to answer."""

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from mlplatform_cdk.release.blue_green.runtime.evidence import asking

Taught = Callable[[bytes], bytes]


class Variants:
    """A SageMaker runtime.

    :param asked: every request's variant and body, in the order of their coming.
    :param ids: their inference ids.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.ids: list[str] = []
        self.taught: dict[str, Taught] = {}
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        """InvokeEndpoint."""
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            self.asked.append((request["TargetVariant"], request["Body"]))
            self.ids.append(request["InferenceId"])
        try:
            body = self.taught[request["TargetVariant"]](request["Body"])
        finally:
            with self._lock:
                self._now -= 1
        return {"Body": io.BytesIO(body), "ContentType": request["Accept"]}


@pytest.fixture
def variants(monkeypatch: pytest.MonkeyPatch) -> Variants:
    """Variants that know nothing yet."""
    made = Variants()
    monkeypatch.setattr(asking, "_client", lambda: made)
    return made


def fails(_: bytes) -> bytes:
    """A model that fails."""
    metadata = {"ResponseMetadata": {"HTTPStatusCode": 424}}
    raise ClientError(
        {"Error": {"Code": "ModelError", "Message": "it broke"}, "OriginalStatusCode": 500, **metadata},
        "InvokeEndpoint",
    )


def refuses(_: bytes) -> bytes:
    """A model that does not want the request."""
    metadata = {"ResponseMetadata": {"HTTPStatusCode": 424}}
    raise ClientError(
        {"Error": {"Code": "ModelError", "Message": "no such input"}, "OriginalStatusCode": 400, **metadata},
        "InvokeEndpoint",
    )


def hangs(_: bytes) -> bytes:
    """A model that never answers."""
    raise ReadTimeoutError(endpoint_url="https://runtime")

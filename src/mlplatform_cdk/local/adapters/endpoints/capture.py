"""Data capture: a sample of the requests and answers, as SageMaker writes it to S3."""

from __future__ import annotations

import base64
import json
import logging
import random
import threading
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.role_storage import split, storage_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplatform_cdk.local.adapters.endpoints.fleet import Variant
    from mlplatform_cdk.local.adapters.sagemaker_api import Request, Scope

WRITE_SECONDS = 1.0
EVERYTHING = 100

_LOGGER = logging.getLogger(__name__)


class Capture:
    """Collects what one deployment of an endpoint is asked and answers, and writes it about once a second.

    :param scope: the account and region.
    :param endpoint_name: part of the objects' keys.
    :param config: the DataCaptureConfig, switched on.
    """

    def __init__(self, scope: Scope, endpoint_name: str, config: Request) -> None:
        self._scope = scope
        self._endpoint_name = endpoint_name
        self._config = config
        self._sides = {option["CaptureMode"] for option in config["CaptureOptions"]}
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], list[str]] = {}
        self._closed = threading.Event()
        self._writer = threading.Thread(target=self._write_on, name=f"capture/{endpoint_name}", daemon=True)
        self._writer.start()

    @staticmethod
    def of(scope: Scope, endpoint_name: str, config: Request | None) -> Capture | None:
        """The capture that ``config`` asks for, if it does."""
        return Capture(scope, endpoint_name, config) if config and config.get("EnableCapture") else None

    def record(self, variant: Variant, asked: tuple[str, bytes], answered: tuple[str, bytes], names: Request) -> None:
        """Keep one exchange, if the sample takes it.

        :param variant: which answered.
        :param asked: content type and body of the request.
        :param answered: content type and body of the answer.
        :param names: the optional ``inferenceId`` and ``customAttributes``.
        """
        if random.randrange(EVERYTHING) >= self._config["InitialSamplingPercentage"]:  # noqa: S311 - a sample
            return
        data: dict[str, Any] = {}
        if self._sides & {"Input", "InputAndOutput"}:
            data["endpointInput"] = self._side("INPUT", *asked)
        if self._sides & {"Output", "InputAndOutput"}:
            data["endpointOutput"] = self._side("OUTPUT", *answered)
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        event = {"eventId": str(uuid.uuid4()), **names, "inferenceTime": moment}
        line = json.dumps({"captureData": data, "eventMetadata": event, "eventVersion": "0"})
        key = (variant.spec["VariantName"], variant.model.role_arn)
        with self._lock:
            self._waiting.setdefault(key, []).append(line)

    def close(self) -> None:
        """Write what waits, and end."""
        self._closed.set()
        self._writer.join()

    def _side(self, mode: str, content_type: str, body: bytes) -> dict[str, str]:
        encoding = _encoding(content_type, self._config.get("CaptureContentTypeHeader") or {})
        text = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode(errors="replace")
        return {"observedContentType": content_type, "mode": mode, "data": text, "encoding": encoding}

    def _write_on(self) -> None:
        last = False
        while not last:
            last = self._closed.wait(WRITE_SECONDS)
            with self._lock:
                waiting, self._waiting = self._waiting, {}
            for (variant, role_arn), lines in waiting.items():
                try:
                    self._write(variant, role_arn, lines)
                except Exception:
                    _LOGGER.exception("captured data of endpoint %s is lost", self._endpoint_name)

    def _write(self, variant: str, role_arn: str, lines: list[str]) -> None:
        bucket, prefix = split(self._config["DestinationS3Uri"])
        now = datetime.now(UTC)
        parts = [prefix.rstrip("/"), self._endpoint_name, variant, now.strftime("%Y/%m/%d/%H")]
        key = "/".join([*filter(None, parts), f"{now.strftime('%M-%S-%f')[:-3]}-{uuid.uuid4()}.jsonl"])
        client = storage_of(self._scope.region, role_arn).client
        client.put_object(Bucket=bucket, Key=key, Body="".join(f"{line}\n" for line in lines).encode())


def _encoding(content_type: str, headers: Mapping[str, list[str]]) -> str:
    plain = content_type.split(";", maxsplit=1)[0].strip()
    if plain in (headers.get("JsonContentTypes") or ["application/json"]):
        return "JSON"
    return "CSV" if plain in (headers.get("CsvContentTypes") or ["text/csv"]) else "BASE64"

"""EventBridge events that moto never sends: SageMaker's state changes, and S3's in the form that AWS documents.

moto emits no SageMaker event at all; for S3 it fills the event with constants, misspells ``etag``, and lets one target
that fails silence all that follow. Delivery to the targets of a matching rule is ``Rule.send_to_targets``, on a thread
of its own and in the order of the events.
"""

from __future__ import annotations

import itertools
import json
import logging
import queue
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.events.models import events_backends
from moto.s3 import notifications
from moto.s3.models import FakeBucket

if TYPE_CHECKING:
    from moto.events.models import Rule
    from moto.events.utils import EventMessageType
    from moto.s3.notifications import S3NotificationEvent

    from mlplatform_cdk.local.adapters.sagemaker_api import Scope

_LOGGER = logging.getLogger(__name__)
_REASONS = {
    "s3:ObjectCreated:Put": "PutObject",
    "s3:ObjectCreated:Post": "POST Object",
    "s3:ObjectCreated:Copy": "CopyObject",
    "s3:ObjectRemoved:Delete": "DeleteObject",
}
_SEQUENCE = itertools.count(0x617F08299329D189)


class _Bus:
    """Hands events to rules, one after the other, so that no caller waits for a target."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[tuple[str, str, EventMessageType]] = queue.SimpleQueue()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, account: str, region: str, event: EventMessageType) -> None:
        self._events.put((account, region, event))
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._deliver, name="event-bus", daemon=True)
                self._thread.start()

    def _deliver(self) -> None:
        while True:
            account, region, event = self._events.get()
            for rule in _rules(account, region):
                try:
                    rule.send_to_targets(event)
                except Exception:
                    _LOGGER.exception("rule %s could not deliver %s", rule.name, event["detail-type"])


_BUS = _Bus()


def emit(
    scope: Scope, detail_type: str, resource: str, detail: dict[str, Any], *, source: str = "aws.sagemaker"
) -> None:
    """Send one of a service's events to the default bus.

    :param scope: the account and region of the resource.
    :param detail_type: such as ``SageMaker Training Job State Change``.
    :param resource: the resource's ARN.
    :param detail: mostly what Describe answers; times become what AWS writes into events.
    :param source: the service; default: SageMaker.
    """
    _put(
        source,
        scope.account,
        scope.region,
        detail_type,
        resource,
        json.loads(json.dumps(detail, default=_time)),
    )


def install() -> None:
    """Send S3's events as AWS does."""
    notifications._send_event_bridge_message = _send_s3_event


def _rules(account: str, region: str) -> list[Rule]:
    backend = events_backends[account][region]
    return [rule for rule in backend.event_buses["default"].rules.values() if rule.state == "ENABLED"]


def _put(source: str, account: str, region: str, detail_type: str, resource: str, detail: dict[str, Any]) -> None:
    now = time.time()
    event: EventMessageType = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": now,  # moto's rules write it as text when they deliver
        "region": region,
        "resources": [resource],
        "detail": detail,
        "ingestion-time": now,
    }
    _BUS.put(account, region, event)


def _send_s3_event(account_id: str, bucket: FakeBucket, event_name: S3NotificationEvent, key: Any) -> None:
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": {"key": key.name, "size": key.size, "etag": key.etag.strip('"'), "sequencer": f"{next(_SEQUENCE):X}"},
        "request-id": uuid.uuid4().hex[:16].upper(),
        "requester": account_id,
        "source-ip-address": "127.0.0.1",
        "reason": _REASONS.get(str(event_name.value), event_name.value.split(":")[-1]),
    }
    if bucket.versioning_status == "Enabled":
        detail["object"]["version-id"] = key.version_id
    detail_type = notifications._detail_type(event_name)
    _put("aws.s3", account_id, bucket.region_name, detail_type, bucket.arn, detail)


def _time(value: object) -> object:
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return int(moment.timestamp() * 1000)
    raise TypeError(f"an event cannot hold {value!r}")

"""Queues that feed functions: batches, delays by the rehearsal's clock, partial failures, redrive to dead letters.

moto delivers inside SendMessage, at once, one message a call, whatever the delay, and never tries again.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any

from moto.awslambda.models import EventSourceMapping, LambdaBackend
from moto.core.utils import unix_time_millis
from moto.events.models import EventPattern
from moto.sqs.models import Message, Queue, sqs_backends

from mlplatform_cdk.local import clock
from mlplatform_cdk.local.adapters.iam import access
from mlplatform_cdk.local.adapters.lambda_functions import invoke
from mlplatform_cdk.local.adapters.targets import send

LOG = logging.getLogger(__name__)

POLL_SECONDS = 0.1
WITHOUT_PERMISSION_SECONDS = 2.0
BATCHES_AT_ONCE = 5  # Lambda starts with five pollers
PROCESSING_MARGIN_SECONDS = 60
PERMISSIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")

_create = LambdaBackend.create_event_source_mapping


def install() -> None:
    """Put pollers in the place of moto's delivery, and the rehearsal's clock under delays."""
    LambdaBackend.create_event_source_mapping = _create_polled
    Message.delay = _delay


def _delay(message: Message, delay_seconds: int) -> None:
    message.delayed_until = unix_time_millis() + clock.real_seconds(float(delay_seconds)) * 1000


def _create_polled(backend: LambdaBackend, spec: dict[str, Any]) -> EventSourceMapping:
    mapping = _create(backend, spec)
    for queue in sqs_backends[backend.account_id][backend.region_name].queues.values():
        if queue.queue_arn == mapping.event_source_arn:
            queue.lambda_event_source_mappings.pop(mapping.function_arn, None)
            _Poller(backend, mapping, queue).start()
    return mapping


class _Poller(threading.Thread):
    """Lambda's side of one queue: receives, invokes, deletes what was processed and returns the rest."""

    def __init__(self, backend: LambdaBackend, mapping: EventSourceMapping, queue: Queue) -> None:
        super().__init__(name=f"poller-{queue.name}", daemon=True)
        self.backend, self.mapping, self.queue = backend, mapping, queue
        most = (mapping.scaling_config or {}).get("MaximumConcurrency", BATCHES_AT_ONCE)
        self._free = threading.Semaphore(int(most))
        self._complained = False

    def run(self) -> None:
        """Poll until the mapping is deleted."""
        while self.mapping.uuid in self.backend._event_source_mappings:
            if not self._is_enabled() or not self.queue.messages:
                time.sleep(POLL_SECONDS)
            elif not self._may_receive():
                time.sleep(WITHOUT_PERMISSION_SECONDS)
            else:
                self._take_a_batch()

    def _is_enabled(self) -> bool:
        return str(self.mapping.enabled).lower() != "false"

    def _may_receive(self) -> bool:
        """AWS receives with the rights of the function's role."""
        role = self._function().role
        region = self.backend.region_name
        wanted = [(action, self.queue.queue_arn) for action in PERMISSIONS]
        key = send.key_of(self.queue.queue_arn)
        if key is not None:
            wanted.append(("kms:Decrypt", key))
        missing = [action for action, arn in wanted if not access.role_may(role, action, arn, region=region)]
        if missing and not self._complained:
            LOG.warning(
                "The provided execution role does not have permissions to call %s on SQS: %s, %s",
                ", ".join(action.split(":")[1] for action in missing),
                role,
                self.queue.queue_arn,
            )
        self._complained = bool(missing)
        return not missing

    def _function(self) -> Any:
        return self.backend.get_function(self.mapping.function_arn)

    def _take_a_batch(self) -> None:
        window = float(self.mapping.max_batch_window or 0)
        if window:
            clock.sleep(window)
        self._free.acquire()
        hidden = int(self._function().timeout) + PROCESSING_MARGIN_SECONDS
        messages = sqs_backends[self.queue.account_id][self.queue.region].receive_message(
            self.queue.name, int(self.mapping.batch_size), 0, hidden
        )
        wanted = [message for message in messages if self._is_wanted(message)]
        for message in messages:
            if message not in wanted:
                self.queue.delete_message(message.receipt_handle)
        if not wanted:
            self._free.release()
            return
        threading.Thread(target=self._process, args=(wanted,), name=self.name, daemon=True).start()

    def _is_wanted(self, message: Message) -> bool:
        filters = (self.mapping.filter_criteria or {}).get("Filters", [])
        if not filters:
            return True
        try:
            body = json.loads(message.body)
        except ValueError:
            body = message.body
        return any(EventPattern.load(pattern["Pattern"]).matches_event({"body": body}) for pattern in filters)

    def _process(self, messages: list[Message]) -> None:
        try:
            failed = self._invoke(messages)
        except Exception:
            LOG.exception("the batch of %s could not be processed", self.queue.name)
            failed = {message.id for message in messages}
        finally:
            self._free.release()
        for message in messages:
            if message.id in failed:
                self._return(message)
            else:
                self.queue.delete_message(message.receipt_handle)
        self.mapping.__dict__["last_result"] = "PROBLEM: Function call failed" if failed else "OK"

    def _invoke(self, messages: list[Message]) -> set[str]:
        event = {"Records": [self._record(message) for message in messages]}
        everything = {message.id for message in messages}
        try:
            outcome = invoke.run(self._function(), json.dumps(event))
        except invoke.Throttled:
            return everything
        if outcome.failed:
            LOG.warning("%s failed on messages of %s: %s", self.mapping.function_name, self.queue.name, outcome.payload)
            return everything
        if "ReportBatchItemFailures" not in (self.mapping.function_response_types or []):
            return set()
        return failures_in(json.loads(outcome.payload), everything)

    def _record(self, message: Message) -> dict[str, Any]:
        attributes = {
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": str(message.sent_timestamp),
            "SenderId": message.sender_id,
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        }
        fifo = {
            "MessageGroupId": message.group_id,
            "MessageDeduplicationId": message.deduplication_id,
            "SequenceNumber": message.sequence_number,
        }
        return {
            "messageId": message.id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": attributes | {key: value for key, value in fifo.items() if value},
            "messageAttributes": {name: _attribute(value) for name, value in message.message_attributes.items()},
            "md5OfBody": message.body_md5,
            "eventSource": "aws:sqs",
            "eventSourceARN": self.queue.queue_arn,
            "awsRegion": self.queue.region,
        }

    def _return(self, received: Message) -> None:
        """The message can be seen again after the queue's visibility time-out, by the rehearsal's clock."""
        seconds = clock.real_seconds(float(self.queue.visibility_timeout))
        for message in self.queue._messages:
            if message.id == received.id:
                message.visible_at = unix_time_millis() + seconds * 1000


def failures_in(answer: Any, everything: set[str]) -> set[str]:
    """The messages that a function reports as failed; all of them where its report makes no sense.

    :param answer: what the function returned.
    :param everything: the ids of the batch.
    """
    if not answer or not answer.get("batchItemFailures"):
        return set()
    reported = {item.get("itemIdentifier") for item in answer["batchItemFailures"]}
    return everything if not reported <= everything else reported


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    names = {"StringValue": "stringValue", "BinaryValue": "binaryValue", "DataType": "dataType"}
    base: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
    return base | {names[key]: inner for key, inner in value.items() if key in names}

"""Queues, topics and events."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.lines import Charge, Free, Unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.cost.resources import Resource

_MILLION = Decimal(1_000_000)
_HUNDRED_THOUSAND = Decimal(100_000)
_FREE_PROTOCOLS = ("sqs", "lambda")


def _queue(queue: Resource) -> Iterator[Charge]:
    fifo = queue.get("FifoQueue", default=False) in (True, "true")
    yield Charge(
        what="requests to the queue",
        item="sqs.fifo-request" if fifo else "sqs.request",
        quantity=queue.use("queue_requests"),
        per=f"million requests to {'FIFO ' if fifo else ''}queues",
        units_per=_MILLION,
    )


def _topic(topic: Resource) -> Iterator[Charge | Unseen]:
    if topic.get("FifoTopic", default=False) in (True, "true"):
        yield Unseen("the price of messages to a FIFO topic")
        return
    yield Charge(
        what="messages to the topic",
        item="sns.request",
        quantity=topic.use("notifications"),
        per="million messages to topics",
        units_per=_MILLION,
    )


def _subscription(subscription: Resource) -> Iterator[Charge | Free | Unseen]:
    protocol = subscription.get("Protocol")
    if protocol in _FREE_PROTOCOLS:
        yield Free("deliveries to queues and functions cost nothing")
    elif protocol in ("email", "email-json"):
        yield Charge(
            what="emails",
            item="sns.email",
            quantity=subscription.use("emails"),
            per="100,000 emails",
            units_per=_HUNDRED_THOUSAND,
        )
    else:
        yield Unseen(f"deliveries of a topic by {protocol}")


def _bus(bus: Resource) -> Iterator[Charge]:
    yield Charge(
        what="custom events",
        item="events.custom-event",
        quantity=bus.use("custom_events"),
        per="million custom events",
        units_per=_MILLION,
    )


PRICED = {
    "AWS::SQS::Queue": _queue,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::Subscription": _subscription,
    "AWS::Events::EventBus": _bus,
}

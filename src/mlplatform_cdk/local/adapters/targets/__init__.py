"""EventBridge delivers: to machines, functions, queues and topics, shaped by input, with dead letters; topics too.

moto knows queues, log groups and buses only, delivers to disabled rules, and asks for no permission.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from moto.core.utils import iso_8601_datetime_without_milliseconds, utcfromtimestamp
from moto.events.models import Rule

from mlplatform_cdk.local.adapters.targets import deliver, topics
from mlplatform_cdk.local.adapters.targets.send import send_as_role

__all__ = ["install", "send_as_role"]

LOG = logging.getLogger(__name__)
OURS = ("states", "lambda", "sqs", "sns")
DELIVERIES_AT_ONCE = 16

_send = Rule.send_to_targets
_pool = ThreadPoolExecutor(DELIVERIES_AT_ONCE, thread_name_prefix="eventbridge")


def install() -> None:
    """Replace how a rule reaches its targets, and a topic its subscribers."""
    topics.install()
    Rule.send_to_targets = _send_to_targets


def _send_to_targets(rule: Rule, original_event: Any, transform_input: bool = True) -> None:  # noqa: FBT001, FBT002
    pattern = rule.event_pattern
    if rule.state == "DISABLED" or not pattern.get_pattern() or not pattern.matches_event(original_event):
        return
    event = _as_delivered(original_event)
    others = []
    for target in list(rule.targets):
        if target["Arn"].split(":")[2] in OURS:
            _pool.submit(_deliver, rule, target, event, original_event["ingestion-time"])
        else:
            others.append(target)
    if others:
        _leave_to_moto(rule, others, original_event, transform_input=transform_input)


def _deliver(rule: Rule, target: dict[str, Any], event: dict[str, Any], ingested: float) -> None:
    try:
        deliver.to_target(rule, target, event, ingested)
    except Exception:
        LOG.exception("the rule %s could not deliver to %s", rule.name, target["Arn"])


def _as_delivered(event: dict[str, Any]) -> dict[str, Any]:
    """The event as targets see it: its time as text, without moto's own field."""
    delivered = {key: value for key, value in event.items() if key != "ingestion-time"}
    if isinstance(delivered["time"], (int, float)):
        delivered["time"] = iso_8601_datetime_without_milliseconds(utcfromtimestamp(delivered["time"]))
    return delivered


def _leave_to_moto(rule: Rule, targets: list[dict[str, Any]], event: Any, *, transform_input: bool) -> None:
    stand_in = Rule.__new__(Rule)
    stand_in.__dict__.update(rule.__dict__ | {"targets": targets})
    _send(stand_in, event, transform_input)

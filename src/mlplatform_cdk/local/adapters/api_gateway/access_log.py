"""The access log of a stage: a line for each request, in the stage's own format, in the group that it names."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING

from moto.logs.models import logs_backends

from mlplatform_cdk.local.adapters.api_gateway.templates import context_value

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.api_gateway.exchange import Answer, Exchange

LOG = logging.getLogger(__name__)
_NAME = re.compile(r"\$context\.([A-Za-z0-9_.]*[A-Za-z0-9_])")
_STREAM = "embedded"


def write(exchange: Exchange, answer: Answer) -> None:
    """Leave the line; a group that is gone loses it, as in AWS."""
    given = exchange.deployed.stage.access_log_settings or {}
    group = str(given.get("destinationArn", "")).partition(":log-group:")[2].removesuffix(":*")
    backend = logs_backends[exchange.deployed.account][exchange.deployed.region]
    if not group or group not in backend.groups:
        return
    milliseconds = int((time.time() - exchange.began) * 1000)
    ending = {"status": answer.status, "responseLatency": milliseconds, "responseLength": len(answer.body)}
    context = exchange.context | ending
    line = _NAME.sub(lambda found: context_value(context, found[1]).replace('"', '\\"'), str(given.get("format", "")))
    if _STREAM not in backend.groups[group].streams:
        backend.create_log_stream(group, _STREAM)
    backend.put_log_events(group, _STREAM, [{"timestamp": int(time.time() * 1000), "message": line}])

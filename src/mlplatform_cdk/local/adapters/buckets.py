"""Buckets: access logs in any order and not at once, and the EventBridge switch also when it is read.

moto wants the log bucket's policy before a bucket asks for logs, and writes the logs at once. AWS takes policy and
request in any order, as templates have them, and delivers hours later: a log bucket is still empty, and so can be
deleted, when a rehearsal ends. moto also leaves the EventBridge switch out of GetBucketNotificationConfiguration.
"""

from __future__ import annotations

import re
from typing import Any

from moto.s3.models import FakeBucket, S3Backend
from moto.s3.responses import S3Response

_read = S3Response.get_bucket_notification
_SWITCH = "<EventBridgeConfiguration/>"
_EMPTY = re.compile(r"<NotificationConfiguration([^>]*)/>")


def install() -> None:
    """Put AWS's ways in the place of moto's."""
    FakeBucket._log_permissions_enabled_policy = staticmethod(_later)
    S3Backend.log_incoming_request = _not_within_the_hour
    S3Response.get_bucket_notification = _with_switch


def _later(*_arguments: Any, **_named: Any) -> bool:
    return True


def _not_within_the_hour(*_arguments: Any, **_named: Any) -> None:
    return None


def _with_switch(response: S3Response) -> Any:
    status, headers, body = _read(response)
    configuration = response.backend.get_bucket_notification_configuration(response.bucket_name)
    if configuration is None or configuration.event_bridge is None:
        return status, headers, body
    text = body.decode() if isinstance(body, bytes) else str(body)
    opened = _EMPTY.sub(r"<NotificationConfiguration\1></NotificationConfiguration>", text)
    return status, headers, opened.replace("</NotificationConfiguration>", f"{_SWITCH}</NotificationConfiguration>")

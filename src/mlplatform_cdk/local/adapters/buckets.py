"""Access logs: moto wants the target's policy before a bucket asks for logs, and writes the logs at once.

AWS takes policy and request in any order, as templates have them, and delivers hours later: a log bucket is still empty,
and so can be deleted, when a rehearsal ends.
"""

from __future__ import annotations

from typing import Any

from moto.s3.models import FakeBucket, S3Backend


def install() -> None:
    """Let a bucket name its log bucket before that one's policy is there."""
    FakeBucket._log_permissions_enabled_policy = staticmethod(_later)  # type: ignore[method-assign]
    S3Backend.log_incoming_request = _not_within_the_hour  # type: ignore[method-assign]


def _later(*_arguments: Any, **_named: Any) -> bool:
    return True


def _not_within_the_hour(*_arguments: Any, **_named: Any) -> None:
    return None

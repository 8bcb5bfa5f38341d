"""Requests that production was really asked, out of SageMaker's data capture.

The files: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

import base64
import binascii
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.evidence.asking import Question
from mlplatform_cdk.runtimekit import own_requests, s3

HOURS = 24


def captured_questions(
    capture_uri: str, endpoint: str, variant: str, *, most: int, now: datetime, hours: int = HOURS
) -> list[Question]:
    """The newest requests that were captured, the newest file first; none where nothing is captured.

    :param capture_uri: the prefix that the endpoint's capture writes to.
    :param endpoint: the endpoint's name.
    :param variant: the variant that was asked: blue.
    :param most: how many at most.
    :param now: the time in UTC; the files lie under the hour in which they were written.
    :param hours: how far to look back; default: a day.
    """
    found: list[Question] = []
    for back in range(hours + 1):
        hour = (now - timedelta(hours=back)).strftime("%Y/%m/%d/%H")
        prefix = f"{capture_uri.rstrip('/')}/{endpoint}/{variant}/{hour}/"
        for file in sorted(s3.listing(prefix), key=lambda one: one.modified, reverse=True):
            found += questions(s3.read_bytes(file.location.uri))
            if len(found) >= most:
                return found[:most]
    return found


def questions(content: bytes) -> Iterator[Question]:
    """The callers' requests of one file; lines that hold none are passed over, such as those of answers alone.

    What the platform asked by itself, golden requests and former replays, tells nothing of production.
    """
    for line in content.splitlines():
        try:
            captured = json.loads(line)
            if own_requests.is_own((captured.get("eventMetadata") or {}).get("inferenceId")):
                continue
            asked = captured["captureData"]["endpointInput"]
            yield Question(body=_body(asked), content_type=asked["observedContentType"])
        except (AttributeError, KeyError, TypeError, ValueError, binascii.Error):
            continue


def _body(asked: dict[str, Any]) -> bytes:
    data: str = asked["data"]
    return base64.b64decode(data, validate=True) if asked["encoding"] == "BASE64" else data.encode()

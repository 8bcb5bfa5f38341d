"""CloudFormation waits for this answer, for an hour if none comes: it is always given."""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_LONGEST_REASON = 1000  # the whole answer may have 4096 bytes
_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of a request of CloudFormation.

    :param physical_id: names the resource; a change of it makes CloudFormation delete the former one.
    :param reason: why it failed; default: it did not.
    :param attributes: what ``Fn::GetAtt`` gives of the resource; default: nothing.
    """

    physical_id: str
    reason: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


def send(event: Mapping[str, Any], answer: Answer) -> None:
    """Tell CloudFormation."""
    body = json.dumps(
        {
            "Status": "FAILED" if answer.reason else "SUCCESS",
            "Reason": answer.reason[:_LONGEST_REASON] or "done",
            "PhysicalResourceId": answer.physical_id,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
            "Data": dict(answer.attributes),
        }
    ).encode()
    # The URL is CloudFormation's own; S3 signed it for a request without a content type.
    request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S):  # noqa: S310
        pass

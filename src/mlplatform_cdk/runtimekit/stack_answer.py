"""CloudFormation waits for this answer, for an hour if none comes: it is always given."""

import json
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from logging import Logger
from typing import Any

from mlplatform_cdk.runtimekit.errors import KnownError

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


def carry_out(
    event: Mapping[str, Any], physical_id: str, work: Callable[[], Mapping[str, str] | None], *, log: Logger, what: str
) -> None:
    """Do ``work``, and tell CloudFormation how it went, whatever happened.

    :param event: what CloudFormation asks for.
    :param physical_id: see ``Answer``.
    :param work: gives the attributes of the resource, if it has any.
    :param log: hears why it failed.
    :param what: it is called where it fails unexpectedly, such as ``removing endpoint churn``.
    """
    reason, attributes = "", None
    try:
        attributes = work()
    except KnownError as error:
        reason = str(error)
        log.warning(reason)
    except Exception as error:
        reason = f"{what} failed: {error}"
        log.exception(reason)
    send(event, Answer(physical_id, reason, attributes or {}))


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

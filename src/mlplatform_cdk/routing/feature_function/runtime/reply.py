"""What API Gateway is told."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OK = 200
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    :param status: of HTTP.
    :param body: as the caller gets it.
    :param content_type: of the body.
    :param headers: further ones.
    """

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_event(self) -> dict[str, Any]:
        """As a proxy integration wants it: text as it is, anything else in base 64."""
        try:
            text, encoded = self.body.decode(), False
        except UnicodeDecodeError:
            text, encoded = base64.b64encode(self.body).decode(), True
        headers = {"Content-Type": self.content_type, **self.headers}
        return {"statusCode": self.status, "headers": headers, "body": text, "isBase64Encoded": encoded}


class Refused(Exception):
    """The request is answered without the model.

    :param status: of HTTP.
    :param why: for the caller.
    """

    def __init__(self, status: int, why: str, **headers: str) -> None:
        super().__init__(why)
        self.reply = problem(status, why, headers)


def problem(status: int, why: str, headers: Mapping[str, str] | None = None) -> Reply:
    """An error as the platform's container says it."""
    named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
    return Reply(status, json.dumps({"error": why}).encode(), headers=named)

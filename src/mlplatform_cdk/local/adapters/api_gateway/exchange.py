"""One request to a deployed API, and one answer: what the parts of the data plane hand on to each other."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moto.apigateway.models import Method, Resource, RestAPI, Stage

JSON = "application/json"

# The largest body of a request, and of an answer:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
LARGEST_BODY = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A stage of an API, and the method that a request asks for."""

    account: str
    region: str
    api: RestAPI
    stage: Stage
    resource: Resource
    method: Method
    path_parameters: Mapping[str, str]
    domain: str

    @property
    def execute_arn(self) -> str:
        """The stage, in the ARNs of permissions."""
        partition = "aws-cn" if self.region.startswith("cn-") else "aws"
        return f"arn:{partition}:execute-api:{self.region}:{self.account}:{self.api.id}/{self.stage.name}"


@dataclass(slots=True, kw_only=True)
class Exchange:
    """A request on its way. ``context`` is what templates and the access log see as ``$context``."""

    deployed: Deployed
    verb: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    address: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    began: float = field(default_factory=time.time)
    context: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin the context."""
        deployed, identity = self.deployed, {"sourceIp": self.address, "userAgent": self.headers.get("user-agent", "-")}
        self.context |= {
            "accountId": deployed.account,
            "apiId": deployed.api.id,
            "domainName": deployed.domain,
            "extendedRequestId": self.request_id,
            "httpMethod": self.verb,
            "identity": identity,
            "path": self.path,
            "protocol": "HTTP/1.1",
            "requestId": self.request_id,
            "requestTimeEpoch": int(self.began * 1000),
            "resourcePath": deployed.resource.get_path(),
            "responseOverride": {"header": {}},
            "stage": deployed.stage.name,
        }

    @property
    def method_arn(self) -> str:
        """What a caller must be allowed."""
        return f"{self.deployed.execute_arn}/{self.verb}{self.path}"

    @property
    def content_type(self) -> str:
        """The media type of the body; API Gateway takes JSON where none is named."""
        return media_type(self.headers.get("content-type", "")) or JSON

    def is_binary(self, named: str) -> bool:
        """Whether the API counts a media type as binary."""
        kinds = self.deployed.api.binaryMediaTypes
        return "*/*" in kinds or (bool(named) and media_type(named) in kinds)


@dataclass(slots=True)
class Answer:
    """What the caller gets."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The status line; SageMaker has a status of its own, 530, that no standard knows."""
        known = {one.value: one.phrase for one in HTTPStatus}
        return f"{self.status} {known.get(self.status, 'Unknown')}"


class Refusal(Exception):
    """A gateway response: API Gateway answers by itself.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """

    def __init__(self, status: int, message: str | None, kind: str, *, member: str = "message") -> None:
        super().__init__(message)
        self.answer = Answer(
            status, json.dumps({member: message}).encode(), {"Content-Type": JSON, "x-amzn-ErrorType": kind}
        )


def media_type(value: str) -> str:
    """A media type without its parameters, and the first of several."""
    return value.partition(",")[0].partition(";")[0].strip().lower()

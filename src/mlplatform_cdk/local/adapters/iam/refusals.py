"""AWS's answer to a call that is not allowed, in the shape of the service's protocol."""

from __future__ import annotations

import json
import uuid
from http import HTTPStatus
from xml.sax.saxutils import escape

from moto.core.utils import get_service_model

from mlplatform_cdk.local.adapters.iam.calls import Call

Answer = tuple[HTTPStatus, dict[str, str], bytes]
CODES = {"ec2": "UnauthorizedOperation", "sns": "AuthorizationError"}


def refuse(call: Call, message: str) -> Answer:
    """Status, headers and body of the refusal.

    :param call: what was asked for.
    :param message: AWS's sentence.
    """
    protocol = _protocol(call)
    request_id = str(uuid.uuid4())
    headers = {"x-amzn-requestid": request_id, "x-amz-request-id": request_id}
    if protocol in ("json", "rest-json"):
        code = "AccessDeniedException"
        status = HTTPStatus.FORBIDDEN if protocol == "rest-json" else HTTPStatus.BAD_REQUEST
        headers |= {"x-amzn-errortype": code, "Content-Type": "application/x-amz-json-1.1"}
        return status, headers, json.dumps({"__type": code, "message": message, "Message": message}).encode()
    code = CODES.get(call.prefix, "AccessDenied")
    error = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if call.prefix == "s3":
        body = f"<Error>{error}<RequestId>{request_id}</RequestId></Error>"
    elif protocol == "ec2":
        body = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    else:
        sender = f"<Error><Type>Sender</Type>{error}</Error>"
        body = f"<ErrorResponse>{sender}<RequestId>{request_id}</RequestId></ErrorResponse>"
    return HTTPStatus.FORBIDDEN, headers | {"Content-Type": "text/xml"}, f'<?xml version="1.0"?>{body}'.encode()


def _protocol(call: Call) -> str:
    if "x-amz-target" in call.headers:
        return "json"
    protocol = str(get_service_model(call.service).protocol)
    return "query" if protocol == "json" else protocol

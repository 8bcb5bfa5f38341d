"""What an HTTP request asks of which service, read with botocore's own service models."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.loaders import Loader
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

# Where one signing name stands for several of boto's services, or for one of another name.
BY_SIGNING_NAME = {
    "monitoring": ("cloudwatch",),
    "states": ("stepfunctions",),
    "sagemaker": ("sagemaker", "sagemaker-runtime", "sagemaker-metrics", "sagemaker-featurestore-runtime"),
    "email": ("ses",),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "elasticloadbalancing": ("elbv2",),
    "tagging": ("resourcegroupstaggingapi",),
    "elasticfilesystem": ("efs",),
}
IAM_PREFIX = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One API call.

    :param service: boto's name of the service.
    :param prefix: the service's prefix in IAM actions.
    :param operation: such as ``CreateModel``.
    :param parameters: its parameters, by their names in the API.
    :param region: where it goes.
    :param account: whose resources it means.
    :param headers: the request's headers, in lower case.
    """

    service: str
    prefix: str
    operation: str
    region: str
    account: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def read(environ: dict[str, Any], signing_name: str, region: str, account: str) -> Call | None:
    """The call that a WSGI request is; None where no model knows it. The request can still be read afterwards.

    :param environ: the request.
    :param signing_name: the service as the signature names it.
    :param region: as the signature names it.
    :param account: whose resources it means.
    """
    body = _body(environ) if signing_name != "s3" or _is_delete_objects(environ) else b""
    headers = {name[5:].replace("_", "-").lower(): str(value) for name, value in environ.items() if name[:5] == "HTTP_"}
    for service in BY_SIGNING_NAME.get(signing_name, (signing_name,)):
        if not _exists(service):
            continue
        found = _operation(service, environ, body)
        if found is None:
            continue
        operation, uri_parameters = found
        return Call(
            service=service,
            prefix=IAM_PREFIX.get(signing_name, signing_name),
            operation=operation,
            region=region,
            account=account,
            parameters=_parameters(service, operation, environ, body, uri_parameters),
            headers=headers,
        )
    return None


def _body(environ: dict[str, Any]) -> bytes:
    if environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH"):
        body: bytes = environ["wsgi.input"].read()
    else:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _is_delete_objects(environ: Mapping[str, Any]) -> bool:
    return environ["REQUEST_METHOD"] == "POST" and "delete" in parse_qs(environ["QUERY_STRING"], keep_blank_values=True)


@cache
def _exists(service: str) -> bool:
    return service in Loader().list_available_services("service-2")


def _operation(service: str, environ: dict[str, Any], body: bytes) -> tuple[str, Mapping[str, Any]] | None:
    known = get_service_model(service).operation_names
    name = _named_operation(environ, body)
    if name is not None:
        return (name, {}) if name in known else None
    try:
        operation, parameters = get_service_router(service).match(_request(environ, body))
    except (HTTPException, NotImplementedError):
        return None
    return str(operation.name), parameters


def _named_operation(environ: Mapping[str, Any], body: bytes) -> str | None:
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return str(target).rsplit(".", 1)[-1]
    form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
    fields = parse_qs(body.decode() if form else environ["QUERY_STRING"])
    return fields["Action"][0] if "Action" in fields else None


def _request(environ: dict[str, Any], body: bytes) -> Request:
    return Request({**environ, "wsgi.input": io.BytesIO(body)})


def _parameters(
    service: str, operation: str, environ: dict[str, Any], body: bytes, uri_parameters: Mapping[str, Any]
) -> Mapping[str, Any]:
    if service == "s3" and not body:
        query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"], keep_blank_values=True).items()}
        return _s3_names(environ) | query
    model = get_service_model(service)
    request = _request(environ, body)
    protocol = determine_request_protocol(model, request.content_type)
    parser = PROTOCOL_PARSERS[protocol](model.operation_model(operation), map_type=dict)
    parsed = parser.parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": body,
            "url_path": request.path,
            "url_params": uri_parameters,
        }
    )
    return (_s3_names(environ) if service == "s3" else {}) | dict(parsed or {})


def _s3_names(environ: Mapping[str, Any]) -> dict[str, str]:
    host = str(environ.get("HTTP_HOST", "")).partition(":")[0]
    path = unquote(environ["PATH_INFO"].encode("latin-1").decode()).lstrip("/")
    bucket = host.removesuffix(".localhost") if host.endswith(".localhost") else None
    if bucket is None:
        bucket, _, path = path.partition("/")
    return {name: value for name, value in (("Bucket", bucket), ("Key", path)) if value}

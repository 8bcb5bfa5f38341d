"""boto3 clients for what AWS's services do by themselves: as a role, against the embedded AWS, kept for reuse."""

from __future__ import annotations

import threading
from typing import Any

import boto3
from botocore.config import Config

from mlplatform_cdk.local import roles, settings

LONGEST_CALL_SECONDS = 900

_lock = threading.Lock()
_clients: dict[tuple[str, str, str], Any] = {}
_session = boto3.session.Session()  # one for all roles: each reads the services' models anew


def client_for(service: str, region: str, *, role_arn: str | None, session_name: str, principal: str) -> Any:
    """A client that signs as ``role_arn``; calls that the role may not make are refused.

    :param service: boto's name of the service.
    :param region: where the calls go.
    :param role_arn: the role; None: the administrator.
    :param session_name: names the session in error messages.
    :param principal: the service that assumes the role, such as ``states.amazonaws.com``.
    """
    keys = {"AWS_ACCESS_KEY_ID": settings.current().account, "AWS_SECRET_ACCESS_KEY": "embedded"}
    if role_arn is not None:
        keys = roles.credentials_for(role_arn.split(":")[4], region, role_arn, session_name, service=principal)
    wanted = (service, region, keys["AWS_ACCESS_KEY_ID"])
    with _lock:
        if wanted not in _clients:
            _clients[wanted] = _make(service, region, keys)
        return _clients[wanted]


def _make(service: str, region: str, keys: dict[str, str]) -> Any:
    return _session.client(
        service,
        region_name=region,
        endpoint_url=settings.current().endpoint_url,
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys.get("AWS_SESSION_TOKEN"),
        config=Config(
            parameter_validation=False,
            retries={"total_max_attempts": 1},
            connect_timeout=LONGEST_CALL_SECONDS,
            read_timeout=LONGEST_CALL_SECONDS,
            max_pool_connections=50,
        ),
    )

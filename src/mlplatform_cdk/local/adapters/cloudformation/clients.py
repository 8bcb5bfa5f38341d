"""The administrator's boto3 clients, on the server's own address: adapters use the same API as everybody else."""

from __future__ import annotations

import threading
from typing import Any

import boto3
from botocore.config import Config

from mlplatform_cdk.local import settings

_clients: dict[tuple[str, str], Any] = {}
_lock = threading.Lock()
_session = boto3.session.Session()


def client(service: str, region: str) -> Any:
    """A client of ``service`` in ``region``, made once."""
    key = (service, region)
    with _lock:
        if key not in _clients:
            here = settings.current()
            _clients[key] = _session.client(
                service,
                region_name=region,
                endpoint_url=here.endpoint_url,
                aws_access_key_id=here.account,
                aws_secret_access_key="embedded",  # noqa: S106 -- the administrator's key is made up
                config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
            )
        return _clients[key]

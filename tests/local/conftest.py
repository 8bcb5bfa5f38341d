"""One embedded AWS for a test session, with every adapter in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from mlplatform_cdk.local import server
from mlplatform_cdk.local.settings import Settings


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of a running embedded AWS."""
    settings = Settings(state_dir=tmp_path_factory.mktemp("aws"))
    with server.start(settings) as running:
        yield running.settings


@pytest.fixture(scope="session")
def client(aws: Settings) -> Callable[[str], Any]:
    """The administrator's boto3 client of a service, by its name."""
    return clients_of(aws)


def clients_of(aws: Settings) -> Callable[[str], Any]:
    def of(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=aws.endpoint_url,
            region_name=aws.region,
            aws_access_key_id=aws.account,
            aws_secret_access_key="embedded",
        )

    return of

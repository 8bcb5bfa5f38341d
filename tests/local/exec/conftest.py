"""An embedded AWS whose waits take a hundredth of their time, and the account in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mlplatform_cdk.local import server
from mlplatform_cdk.local.settings import Settings
from tests.local.conftest import clients_of
from tests.local.exec.account import Account


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of the embedded AWS of these tests."""
    settings = Settings(state_dir=tmp_path_factory.mktemp("aws"), clock_factor=0.01)
    with server.start(settings) as running:
        yield running.settings


@pytest.fixture(scope="session")
def client(aws: Settings) -> Callable[[str], Any]:
    """As the folder above has it, but of the embedded AWS of these tests: a session keeps the first that it makes."""
    return clients_of(aws)


@pytest.fixture(scope="session")
def account(aws: Settings, client: Callable[[str], Any]) -> Account:
    """The account of the session's embedded AWS."""
    return Account(aws, client)

"""How does a probe know which regions there are, without a template that says so?"""

import socket
from typing import Any

import pytest

from mlplatform_cdk.routing.health_probe.runtime.names import Names
from mlplatform_cdk.runtimekit.region_names import regions_beside

PATTERN = "{region}.models.example.com"
CANDIDATES = ("eu-west-1", "eu-central-1", "us-east-1")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names that a resolver knows."""
    names: set[str] = set()

    def look_up(name: str, *_: Any, **__: Any) -> list[Any]:
        if name not in names:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


def test_the_regions_are_those_whose_names_exist(known: set[str]) -> None:
    known |= {"eu-west-1.models.example.com", "us-east-1.models.example.com"}

    names = Names(PATTERN, "eu-west-1", CANDIDATES)

    assert names.own_url == "https://eu-west-1.models.example.com"
    assert names.others() == {"us-east-1": "https://us-east-1.models.example.com"}


def test_a_region_that_was_added_is_found_within_five_minutes_and_one_whose_name_fails_stays(known: set[str]) -> None:
    known.add("us-east-1.models.example.com")
    now = [0.0]
    names = Names(PATTERN, "eu-west-1", CANDIDATES, clock=lambda: now[0])
    names.others()
    known.clear()
    known.add("eu-central-1.models.example.com")

    now[0] = 299.0
    assert {*names.others()} == {"us-east-1"}
    now[0] = 300.0
    assert {*names.others()} == {"us-east-1", "eu-central-1"}


def test_the_regions_that_may_be_are_those_of_the_partition() -> None:
    assert {"eu-west-1", "us-east-1", "ap-southeast-2"} <= {*regions_beside("eu-west-1")}
    assert {*regions_beside("cn-north-1")} == {"cn-north-1", "cn-northwest-1"}

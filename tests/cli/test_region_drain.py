"""``mlplatform region drain`` and ``restore``: a region leaves service by hand, and comes back."""

from collections.abc import Iterator
from typing import Any

import pytest

from mlplatform_cdk.cli.region import drains, place
from mlplatform_cdk.runtimekit.region_address import RegionAddress
from tests.cli.region_world import DOMAIN, EAST, WEST, World, clients, failure, run, told, two_regions


@pytest.fixture(scope="module", autouse=True)
def _clients() -> Iterator[None]:
    with clients():
        yield


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with two_regions(monkeypatch) as made:
        yield made


def test_a_drain_says_who_and_why_beside_the_verdict_and_the_probe_reads_it(world: World) -> None:
    result = run("drain", WEST, "--reason", "a new kernel")

    assert result.exit_code == 0, result.output
    assert "eu-west-1 is drained by" in result.output
    assert "callers are led to us-east-1" in " ".join(result.output.split())
    row = world.row(WEST)
    assert row["drain"]["M"]["reason"] == {"S": "a new kernel"}
    assert row["drain"]["M"]["by"]["S"] in result.output
    assert row["status"] == {"S": "in-service"}  # that is the probe's to change
    world.verdict(WEST, "drained")
    found = told(DOMAIN)[WEST]
    assert (found["status"], found["drained"]["reason"]) == ("drained", "a new kernel")
    assert found["drained"]["at"].startswith("20")


def test_a_drain_that_the_probe_has_not_seen_yet_counts_already(world: World) -> None:
    run("drain", WEST, "--reason", "first")

    refused = run("drain", EAST, DOMAIN, "--reason", "second")

    assert refused.exit_code == 1
    assert "its probe has not published that yet" in run("status", DOMAIN).output
    assert "drain" not in world.row(EAST)


def test_the_last_region_in_service_is_not_drained_unless_that_is_meant(world: World) -> None:
    world.verdict(EAST, "out-of-service")

    refused = run("drain", WEST, "--reason", "r")

    assert refused.exit_code == 1
    assert "no other region of models.example.com is in service (us-east-1)" in refused.output
    assert "drain" not in world.row(WEST)
    assert run("drain", WEST, "--reason", "r", "--even-the-last").exit_code == 0
    assert "drain" in world.row(WEST)


def test_two_people_who_drain_at_once_leave_a_region(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write = drains._drain

    def meanwhile(address: RegionAddress, reason: str) -> Any:
        other = place.address_in(EAST, DOMAIN)
        write(other, "somebody else's")
        return write(address, reason)

    monkeypatch.setattr(drains, "_drain", meanwhile)

    result = run("drain", WEST, "--reason", "mine")

    assert result.exit_code == 1
    assert "eu-west-1 was drained and at once restored" in result.output
    assert "drain" not in world.row(WEST)
    assert "drain" in world.row(EAST)


def test_a_region_is_drained_once_and_the_first_reason_stays(world: World) -> None:
    run("drain", WEST, "--reason", "the first")

    again = run("drain", WEST, "--reason", "the second", "--even-the-last")

    assert again.exit_code == 1
    assert "drained already by" in again.output
    assert "the first" in again.output
    assert world.row(WEST)["drain"]["M"]["reason"] == {"S": "the first"}


def test_a_region_may_be_drained_before_its_probe_has_run(world: World) -> None:
    world.forget(WEST)

    assert run("drain", WEST, "--reason", "not yet").exit_code == 0

    world.verdict(WEST, "drained")  # the probe's writing leaves it
    assert told(DOMAIN)[WEST]["drained"]["reason"] == "not yet"


def test_a_restored_region_keeps_its_verdict_and_loses_its_drain(world: World) -> None:
    run("drain", WEST, "--reason", "a new kernel")

    result = run("restore", WEST)

    assert result.exit_code == 0, result.output
    assert "(a new kernel); it serves when its probe finds it well" in result.output
    assert "drain" not in world.row(WEST)
    assert world.row(WEST)["version"] == {"S": "0a1b2c3d4e5f"}
    again = run("restore", WEST)
    assert (again.exit_code, "eu-west-1 is not drained" in again.output) == (1, True)


def test_a_region_without_a_verdict_to_drain_fails_in_a_sentence(world: World) -> None:
    said = failure("drain", "eu-central-1", DOMAIN, "--reason", "r", "--even-the-last")

    assert said == "no verdict on models.example.com is published in this account in eu-central-1"


def test_a_lost_region_fails_to_be_drained_in_a_sentence(world: World) -> None:
    world.lose(WEST)

    assert "Could not connect" in failure("drain", WEST, DOMAIN, "--reason", "r")


def test_a_drain_wants_a_reason(world: World) -> None:
    assert run("drain", WEST).exit_code == 2

"""``mlplatform region status``: what a person sees of the regions behind one name."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlplatform_cdk.cli.region import control, place
from mlplatform_cdk.runtimekit.client.wire import Reply
from tests.cli.region_world import (
    DOMAIN,
    EAST,
    REGIONS,
    WEST,
    Health,
    World,
    clients,
    failure,
    line,
    run,
    told,
    two_regions,
)


@pytest.fixture(scope="module", autouse=True)
def _clients() -> Iterator[None]:
    with clients():
        yield


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with two_regions(monkeypatch) as made:
        yield made


def test_the_status_shows_each_region_with_its_verdict_its_version_and_its_alarm(world: World) -> None:
    world.verdict(EAST, "out-of-service", reason="3 bad rounds in a row: the answers are late")

    result = run("status", DOMAIN)

    assert result.exit_code == 0, result.output
    assert "models.example.com 1 of 2 regions in service" in " ".join(result.output.split())
    assert line(WEST, result.output) == (
        "eu-west-1 in-service 2026-09-21 14:13:20 churn version 4 (0a1b2c3d4e5f) right OK"
    )
    assert "out-of-service" in line(EAST, result.output)
    assert "us-east-1: 3 bad rounds in a row: the answers are late" in result.output
    assert "different versions" not in result.output


def test_a_program_reads_the_same(world: World) -> None:
    result = run("status", "--json")

    read = json.loads(result.stdout)
    assert (read["domain"], read["versions"]) == (DOMAIN, {"0a1b2c3d4e5f": [WEST, EAST]})
    assert read["regions"][0] == {
        "region": WEST,
        "status": "in-service",
        "since": "2026-09-21T14:13:20+00:00",
        "golden": "right",
        "version": "0a1b2c3d4e5f",
        "label": "churn version 4",
        "reason": "",
        "bad_version": "",
        "drained": None,
        "switch": "",
        "alarm": "OK",
        "read_from": "table",
        "problem": "",
    }


def test_regions_that_serve_different_versions_are_named(world: World) -> None:
    world.verdict(EAST, version="ffffffffffff", label="churn version 5")

    said = run("status", DOMAIN).output

    assert (
        "The regions serve different versions: eu-west-1: churn version 4 (0a1b2c3d4e5f); "
        "us-east-1: churn version 5 (ffffffffffff)"
    ) in said


def test_a_verdict_whose_time_is_over_is_stale_since_then(world: World) -> None:
    world.verdict(EAST, valid_s=-60)

    assert told(DOMAIN)[EAST]["status"] == "stale"
    assert told(DOMAIN)[EAST]["since"] > "2026-10"


def test_a_region_whose_probe_has_never_run_is_stale(world: World) -> None:
    world.forget(EAST)

    found = told(DOMAIN)[EAST]

    assert (found["status"], found["since"], found["version"]) == ("stale", "", "")


def test_a_region_that_cannot_be_reached_is_told_and_ends_nothing(world: World) -> None:
    world.lose(EAST)

    result = run("status", DOMAIN, "--regions", f"{WEST}, {EAST}")

    assert result.exit_code == 0, result.output
    assert "in-service" in line(WEST, result.output)
    assert line(EAST, result.output) == "us-east-1 unknown unknown"
    assert "us-east-1: it cannot be reached: Could not connect" in result.output


def test_where_the_table_cannot_be_read_the_public_answer_counts(world: World) -> None:
    world.lose(EAST, "dynamodb")
    body = json.dumps({"status": "out-of-service", "golden": "wrong", "version": "ffff", "since": 1_790_000_000_000})
    Health.answers = {f"https://us-east-1.{DOMAIN}/health": Reply(status=503, headers={}, body=body.encode())}

    found = told(DOMAIN)[EAST]

    assert (found["status"], found["golden"], found["version"]) == ("out-of-service", "wrong", "ffff")
    assert (found["read_from"], found["alarm"]) == ("/health", "unknown")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"message": "Forbidden"}'])
def test_an_answer_that_is_no_verdict_says_nothing_of_the_region(world: World, body: bytes) -> None:
    world.lose(EAST, "dynamodb")
    Health.answers = {f"https://us-east-1.{DOMAIN}/health": Reply(status=403, headers={}, body=body)}

    assert told(DOMAIN)[EAST]["status"] == "unknown"


def test_an_alarm_that_cannot_be_read_hides_no_verdict(world: World) -> None:
    world.lose(EAST, "cloudwatch")

    found = told(DOMAIN)[EAST]

    assert (found["status"], found["alarm"], found["read_from"]) == ("in-service", "unknown", "table")
    assert "us-east-1: its alarm cannot be read: Could not connect" in run("status", DOMAIN).output


def test_where_no_region_can_be_reached_the_verb_fails(world: World) -> None:
    assert "no region of other.example.com can be reached" in failure("status", "other.example.com", "--regions", WEST)


def test_a_region_that_is_lost_is_still_found_by_its_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.lose(EAST)  # the names' region as well

    def look_up(name: str, *_: Any, **__: Any) -> list[Any]:
        if name not in {f"{region}.{DOMAIN}" for region in REGIONS}:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    found = told(DOMAIN)

    assert {region: one["status"] for region, one in found.items()} == {WEST: "in-service", EAST: "unknown"}


def test_a_name_without_regions_is_told_with_what_to_give(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    assert "give --names-region, or --regions" in failure("status", "other.example.com")


def test_a_region_that_is_switched_off_is_not_in_service_whatever_its_probe_says(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "states", lambda _: {EAST: "Off", WEST: "unknown"})

    said = run("status", DOMAIN).output

    assert "1 of 2 regions in service" in said
    assert "us-east-1: switched off: Route 53 leads nobody there" in said
    assert "eu-west-1: it has a switch, whose state cannot be asked" in said
    assert told(DOMAIN)[EAST]["switch"] == "Off"
    assert run("drain", WEST, "--reason", "r").exit_code == 1


def test_who_may_not_list_the_domains_is_told_to_name_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetParametersByPath")

    monkeypatch.setattr(place, "_below", denied)

    assert failure("status") == "name the domain: those that are published may not be listed by you"
    assert run("status", DOMAIN).exit_code == 0


def test_the_domain_is_named_where_there_are_two(world: World) -> None:
    world.publish_names("other.example.com")

    assert failure("status") == "name the domain: models.example.com, other.example.com"

"""Can a region be lost, hang and be slow, while another answers by the same name?"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from mlplatform_cdk.local.deploy import deploy, destroy
from mlplatform_cdk.local.settings import Settings
from tests.local.adapters.api_gateway.doors import method, mock
from tests.local.control.handmade import assembly_of

NAME = "one.example.com"
REGIONS = ("eu-west-1", "eu-west-3")
POOL = urllib3.PoolManager()


def template() -> dict[str, Any]:
    """An API that says where it is, under a name that every region serves."""
    api = {"RestApiId": {"Ref": "Api"}}
    return {
        "Resources": {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "where"}},
            **method("where", "GET", mock('{"api": "$context.apiId", "stage": "$stageVariables.place"}')),
            "Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": api, "DependsOn": ["WhereGET"]},
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {
                    **api,
                    "StageName": "live",
                    "DeploymentId": {"Ref": "Deployment"},
                    "Variables": {"place": {"Ref": "AWS::Region"}},
                },
            },
            "Name": {"Type": "AWS::ApiGateway::DomainName", "Properties": {"DomainName": NAME}},
            "Mapping": {
                "Type": "AWS::ApiGateway::BasePathMapping",
                "Properties": {**api, "DomainName": {"Ref": "Name"}, "Stage": {"Ref": "Stage"}},
            },
        }
    }


class World:
    def __init__(self, aws: Settings) -> None:
        self._control = f"{aws.endpoint_url}/_embedded/api_gateway/fronts"

    def fronts(self, **changes: Any) -> dict[str, Any]:
        body = json.dumps({name.replace("_", "-"): one for name, one in changes.items()})
        answer = POOL.request("PUT" if changes else "GET", self._control, body=body if changes else None)
        return {"status": answer.status, **answer.json()}

    def ask(self, region: str, *, timeout: float = 5.0) -> Any:
        port = self.fronts()[region]["port"]
        url = f"http://127.0.0.1:{port}/where"
        return POOL.request("GET", url, headers={"Host": NAME}, timeout=timeout, retries=False).json()["stage"]


@pytest.fixture(scope="module")
def world(aws: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("fronts")
    assemblies = [assembly_of(folder, f"Front-{region}", template(), region=region) for region in REGIONS]
    for one in assemblies:
        deploy(one, aws)
    yield World(aws)
    for one in assemblies:
        destroy(one, aws)


def test_each_region_answers_by_the_one_name_at_its_own_front(world: World) -> None:
    assert [world.ask(region) for region in REGIONS] == [*REGIONS]


def test_a_name_that_two_regions_serve_needs_the_region(world: World, aws: Settings) -> None:
    url = f"http://127.0.0.1:{aws.port}/where"
    asked = [POOL.request("GET", url, headers={"Host": NAME, "X-Embedded-Region": one}) for one in ("", "eu-west-3")]

    assert [one.status for one in asked] == [421, 200]
    assert "is served in eu-west-1, eu-west-3" in asked[0].json()["message"]


def test_a_region_that_is_lost_refuses_connections_and_comes_back_at_the_same_port(world: World) -> None:
    before = world.fronts()["eu-west-1"]["port"]
    world.fronts(eu_west_1={"state": "shut"})
    with pytest.raises(urllib3.exceptions.HTTPError):
        world.ask("eu-west-1")
    assert world.ask("eu-west-3") == "eu-west-3"

    assert world.fronts(eu_west_1={"state": "up"})["eu-west-1"]["port"] == before
    assert world.ask("eu-west-1") == "eu-west-1"


def test_a_region_can_take_requests_and_never_answer(world: World) -> None:
    world.fronts(eu_west_1={"state": "hangs"})
    with pytest.raises(urllib3.exceptions.TimeoutError):
        world.ask("eu-west-1", timeout=0.2)
    world.fronts(eu_west_1={"state": "up"})

    assert world.ask("eu-west-1") == "eu-west-1"


def test_a_region_can_be_slow(world: World) -> None:
    world.fronts(eu_west_1={"delay_ms": 150})
    began = time.monotonic()
    world.ask("eu-west-1")
    world.fronts(eu_west_1={"delay_ms": 0})

    assert time.monotonic() - began >= 0.15


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"eu_west_1": {"state": "gone"}}, "state must be one of up, hangs, shut"),
        ({"eu_west_1": {"delay_ms": -1}}, "delay_ms must be 0 or more"),
        ({"eu_north_1": {"state": "up"}}, "eu-north-1"),
    ],
)
def test_a_change_that_means_nothing_is_refused(world: World, change: dict[str, Any], sentence: str) -> None:
    answer = world.fronts(**change)

    assert answer["status"] == 400
    assert sentence in answer["message"]

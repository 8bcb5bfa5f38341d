"""``mlplatform region drain --switch``: the routing controls, where the region itself cannot be asked any more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from typer.testing import CliRunner, Result

from mlplatform_cdk.cli.console import OUT, CommandFailed
from mlplatform_cdk.cli.main import app
from mlplatform_cdk.cli.region import control
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.region_address import NamesAddress

DOMAIN, WEST, EAST = "models.example.com", "eu-west-1", "us-east-1"
OWNER = "arn:aws:route53-recovery-control::123456789012"
PANEL, CLUSTER = f"{OWNER}:controlpanel/0123456789abcdef", f"{OWNER}:cluster/0123456789"
CONTROLS = {region: f"{PANEL}/routingcontrol/{number:016x}" for number, region in enumerate((WEST, EAST))}
ENDPOINTS = {
    region: f"https://host-{region}.example.com/v1"
    for region in ("us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1", "ap-southeast-2")
}
Answer = tuple[str, str]  # an error's code and message
AWAY = ("EndpointTemporarilyUnavailableException", "come back later")


class Cluster:
    """Its endpoints, by botocore's own model of the service: what is asked must be what that takes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self._clients: dict[str, Any] = {}
        self._stubs: dict[str, Stubber] = {}
        for region, url in ENDPOINTS.items():
            made = boto3.client("route53-recovery-cluster", region, endpoint_url=url)
            self._clients[url], self._stubs[region] = made, Stubber(made)
            self._stubs[region].activate()
        self._make = aws.client
        monkeypatch.setattr(control, "_CHANCE", self)
        monkeypatch.setattr(aws, "client", self._client)
        config = boto3.client("route53-recovery-control-config", "us-west-2")
        self.config = Stubber(config)
        self._config = config

    def sample(self, population: list[Any], _: int) -> list[Any]:
        """The endpoints in their order."""
        return population

    def takes(self, control_arn: str, state: str, *errors: Answer | None) -> None:
        """Each endpoint in turn answers by an error, or, where that is None, does it."""
        for region, error in zip(ENDPOINTS, errors, strict=False):
            asked = {"RoutingControlArn": control_arn, "RoutingControlState": state}
            if error is None:
                self._stubs[region].add_response("update_routing_control_state", {}, asked)
            else:
                code, said = error
                self._stubs[region].add_client_error("update_routing_control_state", code, said, expected_params=asked)

    def says(self, **states: str) -> None:
        """What the first endpoint tells of the switches."""
        for region, state in states.items():
            arn = CONTROLS[region.replace("_", "-")]
            told = {"RoutingControlArn": arn, "RoutingControlState": state}
            self._stubs["us-east-1"].add_response("get_routing_control_state", told, {"RoutingControlArn": arn})

    def is_described(self) -> None:
        """The control plane tells where the cluster is."""
        self.config.add_response(
            "describe_control_panel", {"ControlPanel": {"ClusterArn": CLUSTER}}, {"ControlPanelArn": PANEL}
        )
        endpoints = [{"Region": region, "Endpoint": url} for region, url in ENDPOINTS.items()]
        self.config.add_response(
            "describe_cluster", {"Cluster": {"ClusterEndpoints": endpoints}}, {"ClusterArn": CLUSTER}
        )
        self.config.activate()

    def check(self) -> None:
        """All that was expected was asked."""
        for stub in (*self._stubs.values(), self.config):
            stub.assert_no_pending_responses()

    def _client(self, service: str, *, endpoint_url: str | None = None, **more: Any) -> Any:
        if service == "route53-recovery-cluster":
            self.asked.append(more["region"])
            return self._clients[endpoint_url or ""]
        if service == "route53-recovery-control-config":
            assert more["region"] == "us-west-2"
            return self._config
        return self._make(service, endpoint_url=endpoint_url, **more)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    monkeypatch.setattr(OUT, "_width", 140)
    with mock_aws():
        names = NamesAddress(domain=DOMAIN, regions=[*CONTROLS], switches=CONTROLS)
        boto3.client("ssm").put_parameter(Name=names.parameter, Value=json.dumps(names.to_mapping()), Type="String")
        clear = aws.client.cache_clear
        clear()
        made = Cluster(monkeypatch)
        monkeypatch.setattr(made._client.__func__, "cache_clear", clear, raising=False)
        yield made
        clear()


@pytest.fixture
def kept(tmp_path: Path) -> str:
    """What somebody has kept of the switches."""
    file = tmp_path / "switches.json"
    file.write_text(json.dumps({"domain": DOMAIN, "controls": CONTROLS, "endpoints": ENDPOINTS}))
    return str(file)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["region", *arguments])


def failure(*arguments: str) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, CommandFailed), result.output
    return str(result.exception)


DRAIN = ("drain", WEST, DOMAIN, "--reason", "its power is out", "--even-the-last")


def test_a_region_is_switched_off_by_the_first_endpoint_that_answers(cluster: Cluster) -> None:
    cluster.is_described()
    cluster.takes(CONTROLS[WEST], "Off", AWAY, ("InternalServerException", "oh"), None)

    result = run(*DRAIN, "--switch")

    assert result.exit_code == 0, result.output
    assert result.output == "eu-west-1 is switched off, by the cluster's endpoint in eu-west-1\n"
    assert cluster.asked == ["us-east-1", "us-west-2", "eu-west-1"]
    cluster.check()


def test_with_what_was_kept_no_other_service_is_asked(cluster: Cluster, kept: str) -> None:
    cluster.takes(CONTROLS[WEST], "On", None)

    result = run("restore", WEST, "--switches", kept)

    assert result.output == "eu-west-1 is switched on, by the cluster's endpoint in us-east-1\n"
    cluster.check()


def test_where_no_endpoint_takes_it_each_is_named(cluster: Cluster, kept: str) -> None:
    cluster.takes(CONTROLS[WEST], "Off", *[AWAY] * 5)

    said = failure(*DRAIN, "--switches", kept)

    assert said.startswith("none of the cluster's endpoints takes the call; us-east-1: come back later; us-west-2: ")
    cluster.check()


def test_a_safety_rule_that_holds_is_a_closed_gate_and_is_not_asked_of_the_next(cluster: Cluster, kept: str) -> None:
    cluster.takes(CONTROLS[WEST], "Off", ("ConflictException", "one must stay on"))

    result = run(*DRAIN, "--switches", kept)

    assert result.exit_code == 1
    assert "a safety rule of the switches holds: one must stay on" in result.output
    assert cluster.asked == ["us-east-1"]


def test_what_no_endpoint_will_allow_is_asked_once(cluster: Cluster, kept: str) -> None:
    cluster.takes(CONTROLS[WEST], "Off", ("AccessDeniedException", "you may not"))

    assert "you may not" in failure(*DRAIN, "--switches", kept)
    assert cluster.asked == ["us-east-1"]


def test_without_a_region_in_service_beside_it_none_is_switched_off(cluster: Cluster, kept: str) -> None:
    result = run("drain", WEST, "--reason", "r", "--switches", kept, "--regions", WEST)

    assert result.exit_code == 1
    assert "eu-west-1 would be the last" in result.output
    assert cluster.asked == []


def test_the_switches_are_shown_and_their_json_can_be_kept(cluster: Cluster, tmp_path: Path) -> None:
    cluster.is_described()
    cluster.says(eu_west_1="Off", us_east_1="On")
    written = run("switches", DOMAIN, "--json").stdout
    file = tmp_path / "kept.json"
    file.write_text(written)
    cluster.says(eu_west_1="Off", us_east_1="On")

    shown = run("switches", "--switches", str(file))

    assert json.loads(written)["states"] == {WEST: "Off", EAST: "On"}
    assert [line.split() for line in shown.output.splitlines()[1:]] == [[WEST, "Off"], [EAST, "On"]]
    cluster.check()


def test_who_looks_at_the_regions_sees_which_are_switched_off(cluster: Cluster) -> None:
    cluster.is_described()
    cluster.says(eu_west_1="Off", us_east_1="On")

    assert control.states(DOMAIN) == {WEST: "Off", EAST: "On"}
    cluster.check()


def test_switches_that_cannot_be_asked_are_unknown(cluster: Cluster) -> None:
    cluster.config.add_client_error("describe_control_panel", "AccessDeniedException", "you may not")
    cluster.config.activate()

    assert control.states(DOMAIN) == {WEST: "unknown", EAST: "unknown"}
    assert control.states("other.example.com") == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("switches", "other.example.com"), "no switches of other.example.com are published in us-west-2"),
        (("restore", "eu-central-1", "--switches"), "has no switch for eu-central-1; there are those of eu-west-1"),
        (("restore", WEST, "other.example.com", "--switches"), "has the switches of models.example.com, not of other"),
    ],
)
def test_what_has_no_switch_is_told_with_what_to_give(
    cluster: Cluster, kept: str, arguments: tuple[str, ...], said: str
) -> None:
    given = (*arguments, kept) if arguments[-1] == "--switches" else arguments

    assert said in failure(*given)


def test_a_file_that_is_no_switches_is_told(cluster: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text("[]")

    assert "must be what `mlplatform region switches --json` writes" in failure(
        "restore", WEST, "--switches", str(file)
    )

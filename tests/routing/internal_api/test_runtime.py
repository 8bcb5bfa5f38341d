"""Is CloudFormation told the addresses of the door, and whether the service's name is proved?"""

from typing import Any

import pytest

from mlplatform_cdk.routing.internal_api.runtime import addresses, verification
from mlplatform_cdk.runtimekit import aws, stack_answer
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.stack_answer import Answer


class Ec2:
    """What the two functions ask of EC2."""

    def __init__(self, *states: str) -> None:
        self.states, self.asked = [*states], 0

    def describe_network_interfaces(self, *, NetworkInterfaceIds: list[str]) -> dict[str, Any]:  # noqa: N803
        assert NetworkInterfaceIds == ["eni-2", "eni-1"]
        return {
            "NetworkInterfaces": [
                {"SubnetId": "subnet-b", "PrivateIpAddress": "10.0.16.7"},
                {"SubnetId": "subnet-a", "PrivateIpAddress": "10.0.0.9"},
            ]
        }

    def describe_vpc_endpoint_service_configurations(self, *, ServiceIds: list[str]) -> dict[str, Any]:  # noqa: N803
        assert ServiceIds == ["vpce-svc-1"]
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"ServiceConfigurations": [{"PrivateDnsNameConfiguration": {"State": state}}]}

    def start_vpc_endpoint_service_private_dns_verification(self, *, ServiceId: str) -> None:  # noqa: N803
        assert ServiceId == "vpce-svc-1"
        self.asked += 1


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Answer]:
    told: list[Answer] = []
    monkeypatch.setattr(stack_answer, "send", lambda _event, answer: told.append(answer))
    return told


def become(monkeypatch: pytest.MonkeyPatch, ec2: object) -> None:
    monkeypatch.setattr(aws, "client", lambda service: {"ec2": ec2}[service])


def event(kind: str, **properties: Any) -> dict[str, Any]:
    return {"RequestType": kind, "ResourceType": "Custom::Thing", "ResourceProperties": properties}


def test_addresses_come_in_the_order_of_their_subnets(monkeypatch: pytest.MonkeyPatch, answers: list[Answer]) -> None:
    become(monkeypatch, Ec2())

    addresses.handle(event("Update", NetworkInterfaceIds=["eni-2", "eni-1"]), None)

    assert answers == [Answer("addresses", "", {"Address0": "10.0.0.9", "Address1": "10.0.16.7"})]


def test_a_failure_is_told_and_a_deletion_asks_nothing(monkeypatch: pytest.MonkeyPatch, answers: list[Answer]) -> None:
    become(monkeypatch, object())  # whatever is asked of it fails

    addresses.handle(event("Create", NetworkInterfaceIds=["eni-1"]), None)
    addresses.handle(event("Delete", NetworkInterfaceIds=["eni-1"]) | {"PhysicalResourceId": "theirs"}, None)

    assert answers[0].reason.startswith("Custom::Thing failed: ")
    assert answers[1] == Answer("theirs")


def test_a_name_that_was_not_seen_at_first_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ec2 = Ec2("pendingVerification", "failed", "pendingVerification", "verified")
    become(monkeypatch, ec2)

    verification.prove("vpce-svc-1", "eu-west-1.models.example.com", seconds_left=lambda: 60, pause_s=0)

    assert ec2.asked == 2


def test_a_name_that_is_proved_already_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ec2 = Ec2("verified")
    become(monkeypatch, ec2)

    assert verification.prove("vpce-svc-1", "eu-west-1.models.example.com", seconds_left=lambda: 60) == {}
    assert ec2.asked == 0


def test_a_name_that_nobody_sees_fails_the_deployment_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    become(monkeypatch, Ec2("pendingVerification"))

    with pytest.raises(KnownError, match="was not verified in time, it is pendingVerification"):
        verification.prove("vpce-svc-1", "eu-west-1.models.example.com", seconds_left=lambda: 0)

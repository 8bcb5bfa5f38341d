"""A station: another account or region, entered by its role, and what its stack says of itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from mlplatform_cdk.release.train.runtime.errors import TrainRefused
from mlplatform_cdk.runtimekit import aws


@dataclass(frozen=True, slots=True, kw_only=True)
class StationFacts:
    """Where a station is, as the train's template has it.

    :param name: what people call it.
    :param region: where its endpoint is.
    :param role_arn: who one is there.
    :param external_id: what its trust asks for.
    :param parameter: the name of the parameter by which its stack says what it has.
    """

    name: str
    region: str
    role_arn: str
    external_id: str
    parameter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StationAddress:
    """What a station's stack says of itself.

    :param machine: the state machine of its releases.
    :param group: its model package group.
    :param bucket: where its archives lie.
    :param prefix: under which promoted ones come to lie; ends with ``/``.
    :param repository: the name of the ECR repository of promoted images.
    :param image: what its endpoint serves by itself; an equal image needs no copy.
    :param replicated: how the repositories begin whose images ECR replicates here; an equal image needs no copy;
        default: none do.
    """

    machine: str
    group: str
    bucket: str
    prefix: str
    repository: str
    image: str
    replicated: Sequence[str] = ()

    @classmethod
    def from_json(cls, text: str) -> "StationAddress":
        """What the parameter holds."""
        needed = {one.name for one in fields(cls)} - {"replicated"}
        value = json.loads(text)
        if not isinstance(value, dict) or set(value) - {"replicated"} != needed:
            message = f"a station's parameter must hold {', '.join(sorted(needed))}, got {text}"
            raise TrainRefused(message)
        return cls(**value)


class Station:
    """A station that was entered: clients under its role, for as long as one step runs.

    :param facts: where it is.
    """

    def __init__(self, facts: StationFacts) -> None:
        self.facts = facts
        self._keys = _enter(facts)
        self._clients: dict[str, Any] = {}
        text = self.client("ssm").get_parameter(Name=facts.parameter)["Parameter"]["Value"]
        self.address = StationAddress.from_json(text)

    def client(self, service: str) -> Any:
        """The boto3 client of ``service`` there."""
        if service not in self._clients:
            import boto3  # an asset must boot without boto3

            self._clients[service] = boto3.client(service, region_name=self.facts.region, **self._keys)
        return self._clients[service]


def enter(station: Mapping[str, str]) -> Station:
    """Enter the station of the definition's facts."""
    return Station(StationFacts(**station))


def _enter(facts: StationFacts) -> dict[str, str]:
    answer = aws.client("sts").assume_role(
        RoleArn=facts.role_arn,
        RoleSessionName=f"release-train-{facts.name}"[:64],
        ExternalId=facts.external_id,
    )["Credentials"]
    return {
        "aws_access_key_id": answer["AccessKeyId"],
        "aws_secret_access_key": answer["SecretAccessKey"],
        "aws_session_token": answer["SessionToken"],
    }

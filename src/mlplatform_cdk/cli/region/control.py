"""The routing controls of Application Recovery Controller: asked at the cluster's five endpoints, one after another.

Where they are is told by the service's control plane, in us-west-2 alone: keep what ``mlplatform region switches``
writes, for the day on which that is lost.
Source: https://docs.aws.amazon.com/r53recovery/latest/dg/route53-arc-best-practices.regional.html
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlplatform_cdk.cli.console import CommandFailed
from mlplatform_cdk.cli.region import place
from mlplatform_cdk.cli.release.options import refuse
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.region_address import NamesAddress

UNKNOWN, OFF = "unknown", "Off"
_CONTROL_PLANE = "us-west-2"
_PATIENCE_S = 5
_CHANCE = random.SystemRandom()
# What another endpoint of the cluster may not say.
_PASSING = frozenset({"EndpointTemporarilyUnavailableException", "InternalServerException", "ThrottlingException"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """The switches of a plan.

    :param domain: the one name.
    :param controls: per region the ARN of its routing control.
    :param endpoints: per region of the cluster the address of its endpoint there.
    """

    domain: str
    controls: Mapping[str, str]
    endpoints: Mapping[str, str]

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {"domain": self.domain, "controls": dict(self.controls), "endpoints": dict(self.endpoints)}


def known(domain: str | None, file: Path | None) -> Switches:
    """The switches of ``domain``, by the file that keeps them, or by AWS."""
    if file is None:
        return _looked_up(place.domain_in(place.here(), domain))
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        kept = Switches(domain=told["domain"], controls=dict(told["controls"]), endpoints=dict(told["endpoints"]))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise CommandFailed(f"{file} must be what `mlplatform region switches --json` writes: {problem}") from problem
    if domain and domain != kept.domain:
        raise CommandFailed(f"{file} has the switches of {kept.domain}, not of {domain}")
    return kept


def set_state(switches: Switches, region: str, *, on: bool) -> str:
    """Set the switch of ``region``; gives the region of the endpoint that did it."""
    request = {"RoutingControlArn": _control(switches, region), "RoutingControlState": "On" if on else OFF}
    return _ask(switches, "update_routing_control_state", request)[0]


def state_of(switches: Switches, region: str) -> str:
    """``On`` or ``Off``."""
    request = {"RoutingControlArn": _control(switches, region)}
    return str(_ask(switches, "get_routing_control_state", request)[1]["RoutingControlState"])


def states(domain: str) -> Mapping[str, str]:
    """Per region ``On``, ``Off``, or ``unknown`` where that cannot be asked; empty: no switches are published."""
    from botocore.exceptions import BotoCoreError, ClientError

    published = place.names_of(domain)
    if published is None or not published.switches:
        return {}
    try:
        found = _found(published)
        return {region: state_of(found, region) for region in found.controls}
    except (BotoCoreError, ClientError, CommandFailed):  # verdicts are to be seen all the same
        return dict.fromkeys(published.switches, UNKNOWN)


def _control(switches: Switches, region: str) -> str:
    if region not in switches.controls:
        there = ", ".join(switches.controls)
        raise CommandFailed(f"{switches.domain} has no switch for {region}; there are those of {there}")
    return switches.controls[region]


def _ask(switches: Switches, operation: str, request: Mapping[str, str]) -> tuple[str, Mapping[str, Any]]:
    """What the first endpoint says that answers, and where it is."""
    from botocore.exceptions import BotoCoreError, ClientError

    problems = []
    for region, url in _CHANCE.sample([*switches.endpoints.items()], len(switches.endpoints)):
        try:
            return region, getattr(_endpoint(region, url), operation)(**request)
        except BotoCoreError as problem:
            problems.append(f"{region}: {problem}")
        except ClientError as error:
            code, said = error.response["Error"].get("Code"), error.response["Error"].get("Message")
            if code == "ConflictException":
                refuse(f"a safety rule of the switches holds: {said}")
            if code not in _PASSING:
                raise
            problems.append(f"{region}: {said or code}")
    raise CommandFailed(f"none of the cluster's endpoints takes the call; {'; '.join(problems) or 'none is known'}")


def _endpoint(region: str, url: str) -> Any:
    # One try each: the next endpoint is the retry.
    return aws.client("route53-recovery-cluster", region=region, endpoint_url=url, patience_s=_PATIENCE_S, attempts=1)


def _looked_up(domain: str) -> Switches:
    published = place.names_of(domain)
    if published is None or not published.switches:
        raise CommandFailed(
            f"no switches of {domain} are published in {place.here() or 'a known region'}; give --names-region, or "
            "--switches with what `mlplatform region switches --json` has written"
        )
    return _found(published)


def _found(published: NamesAddress) -> Switches:
    """Where the switches are, by the control plane."""
    config = place.client("route53-recovery-control-config", _CONTROL_PLANE)
    panel = next(iter(published.switches.values())).split("/routingcontrol/")[0]
    cluster = config.describe_control_panel(ControlPanelArn=panel)["ControlPanel"]["ClusterArn"]
    endpoints: Sequence[Mapping[str, str]] = config.describe_cluster(ClusterArn=cluster)["Cluster"]["ClusterEndpoints"]
    return Switches(
        domain=published.domain,
        controls=published.switches,
        endpoints={one["Region"]: one["Endpoint"] for one in endpoints},
    )

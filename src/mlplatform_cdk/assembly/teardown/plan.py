"""The order in which the stacks go, what each takes away by itself, and what stays, with its price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.cost import estimate
from mlplatform_cdk.assembly.cost.money import Amount, total
from mlplatform_cdk.assembly.diff.sources import sources
from mlplatform_cdk.assembly.teardown.kept import Kept, name_of, refuses_to_go, why_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.cost import PriceBook, Usage
    from mlplatform_cdk.assembly.diff.sources import Source
    from mlplatform_cdk.assembly.reader import Assembly

_TEARDOWN, _ENDPOINT = "Custom::Teardown", "Custom::ReleasedEndpoint"
_JOBS = {"createTrainingJob": "TrainingJobs", "createProcessingJob": "ProcessingJobs"}
_EXECUTIONS = "API-Gateway-Execution-Logs_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One stack that goes.

    :param stack: its name in CloudFormation.
    :param region: where it is; empty: wherever it is deployed.
    :param takes_away: what goes before its resources do, in words.
    :param keeps: how many of its resources stay.
    :param protected: CloudFormation refuses to delete it until somebody takes the protection off.
    :param blocked_by: names of its resources that refuse to go, for the same reason.
    """

    stack: str
    region: str
    takes_away: tuple[str, ...]
    keeps: int
    protected: bool
    blocked_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What ``cdk destroy`` does.

    :param steps: the stacks, in the order in which they go.
    :param kept: what stays, by stack in the same order, and then what no stack knows of.
    """

    steps: tuple[Step, ...]
    kept: tuple[Kept, ...]

    @property
    def month(self) -> Amount:
        """What all that stays costs a month, as far as is known."""
        return total(one.month for one in self.kept if one.month is not None)


def plan(assembly: Assembly, prices: PriceBook, usage: Usage) -> Plan:
    """What ``cdk destroy`` of ``assembly`` does and leaves.

    :param prices: what AWS charges.
    :param usage: how much lies in what stays; else the defaults of ``mlplatform cost``.
    """
    going = list(sources(assembly).values())[::-1]
    months = _months(assembly, prices, usage)
    kept = [one for source in going for one in _kept(source, months)]
    return Plan(
        steps=tuple(_step(source) for source in going),
        kept=(*kept, *(one for source in going for one in _by_services(source)), *_assets(assembly)),
    )


def _months(assembly: Assembly, prices: PriceBook, usage: Usage) -> dict[tuple[str, str], Amount]:
    """What each resource costs when it only lies there: what it commits to, and what is charged by the month."""
    found: dict[tuple[str, str], Amount] = {}
    for line in estimate(assembly, prices, usage).lines:
        place = line.place.stack, line.place.logical_id
        if not line.charge.per or "month" in line.charge.per:
            found[place] = found.get(place, Amount()) + line.on_demand
    return found


def _step(source: Source) -> Step:
    every = source.resources
    said = [_properties(one).get("TakesAway") for one in every.values() if one.get("Type") == _TEARDOWN]
    endpoints = [_properties(one).get("EndpointName") for one in every.values() if one.get("Type") == _ENDPOINT]
    return Step(
        stack=source.name,
        region=source.region or "",
        takes_away=(
            *(str(one) for one in said if one),
            *(f"the endpoint {name} with its configurations, models and scaling" for name in endpoints),
        ),
        keeps=sum(bool(why_of(source, logical_id)) for logical_id in every),
        protected=source.termination_protection,
        blocked_by=tuple(name_of(source, logical_id) for logical_id in every if refuses_to_go(source, logical_id)),
    )


def _kept(source: Source, months: dict[tuple[str, str], Amount]) -> Iterator[Kept]:
    for logical_id, resource in source.resources.items():
        if why := why_of(source, logical_id):
            yield Kept(
                stack=source.name,
                region=source.region or "",
                type=str(resource["Type"]),
                name=name_of(source, logical_id),
                why=why,
                month=months.get((source.key, logical_id), Amount()),
            )


def _by_services(source: Source) -> Iterator[Kept]:
    """Log groups that services make, which no template holds."""
    has_own = any(_EXECUTIONS in str(_properties(one).get("LogGroupName")) for one in source.resources.values())
    for resource in source.resources.values():
        kind, properties = resource.get("Type"), _properties(resource)
        if kind == _ENDPOINT and properties.get("Logs") != "delete":
            group = f"/aws/sagemaker/Endpoints/{properties.get('EndpointName')}"
            yield _logs(source, group, "what the endpoint's containers wrote")
        if kind == "AWS::StepFunctions::StateMachine":
            why = "what jobs wrote, those of others in the account and region among them"
            definition = str(properties.get("DefinitionString"))
            yield from (_logs(source, f"/aws/sagemaker/{_JOBS[one]}", why) for one in _JOBS if one in definition)
        if kind == "AWS::ApiGateway::Account":
            yield _logs(source, "/aws/apigateway/welcome", "one line by which API Gateway tried the account's role")
        if kind == "AWS::ApiGateway::Stage" and _is_logged(properties) and not has_own:
            yield _logs(source, f"{_EXECUTIONS}*/{properties.get('StageName')}", "what API Gateway logged of calls")


def _is_logged(stage: dict[str, Any]) -> bool:
    return any(str(one.get("LoggingLevel", "OFF")) != "OFF" for one in stage.get("MethodSettings") or ())


def _logs(source: Source, name: str, why: str) -> Kept:
    return Kept(stack="", region=source.region or "", type="log group", name=name, why=why, month=None)


def _assets(assembly: Assembly) -> Iterator[Kept]:
    """Where CDK has put the code and the images of the stacks; other apps' lie there, too."""
    places: dict[tuple[str, str, str], None] = {}
    for stack in assembly.all_stacks():
        files, images = stack.assets(account="*", region="*")
        region = stack.region or ""
        places |= {("bucket", file.bucket, region): None for file in files}
        places |= {("repository", image.repository, region): None for image in images}
    for kind, name, region in sorted(places):
        why = "CDK's own, for all apps: cdk gc deletes what no stack uses"
        yield Kept(stack="", region=region, type=f"{kind} of assets", name=name, why=why, month=None)


def _properties(resource: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = resource.get("Properties") or {}
    return found

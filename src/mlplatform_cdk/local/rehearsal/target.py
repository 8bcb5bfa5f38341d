"""What a deployed assembly tells of its releases: which endpoint, which machine, whose versions, where models lie."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.runtimekit.endpoint_specification import EndpointSpecification, SpecificationError
from mlplatform_cdk.runtimekit.release_strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlplatform_cdk.assembly import Assembly
    from mlplatform_cdk.local.administrator import Administrator

SERVER = "mlplatform_cdk.serving.container"
_READ = re.compile(r"arn:[^:]+:s3:::(?P<bucket>[^/*]+)/runs/\*")
RECORDS = "RELEASE_RECORDS_TABLE"


class NothingToRehearse(Exception):
    """The assembly holds no release that can be rehearsed; one sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One endpoint and its releases, as they are deployed.

    :param specification: the endpoint.
    :param machine: the ARN of its state machine.
    :param group: the model package group whose approved versions it releases.
    :param bucket: where the archives and manifests of models lie, below ``runs/``.
    :param image: the serving container.
    :param table: of the records of releases; None: there is none.
    :param strategy: as the machine has it; empty: it has none.
    :param region: where it is.
    :param by_approval: does an approval start its releases; False: a train does, or somebody by hand.
    """

    specification: EndpointSpecification
    machine: str
    group: str
    bucket: str
    image: str
    table: str | None = None
    strategy: Mapping[str, Any] = field(default_factory=dict)
    region: str = ""
    by_approval: bool = True

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        return self.specification.endpoint_name

    @property
    def has_gate(self) -> bool:
        """Whether a person is asked on the way."""
        return bool(self.strategy.get("gates"))

    @property
    def has_windows(self) -> bool:
        """Whether green is watched while it has traffic."""
        return bool(self.strategy.get("observe") or self.strategy.get("bake"))

    @property
    def most_looks(self) -> int:
        """How many looks at green a release has at most."""
        return Strategy.from_mapping(self.strategy).most_looks if self.strategy else 0


def strategies(assembly: Assembly) -> list[Mapping[str, Any]]:
    """The strategies of the releases in an assembly, before it is deployed.

    :param assembly: a stage, or a whole assembly.
    """
    found = []
    for stack in assembly.all_stacks():
        template = json.loads(stack.template_file.read_text(encoding="utf-8"))
        for resource in template.get("Resources", {}).values():
            if resource["Type"] == "AWS::StepFunctions::StateMachine":
                definition = _written(resource["Properties"].get("DefinitionString"))
                if _specification(definition) is not None:
                    found.append(_strategy(definition))
    return found


def find(aws: Administrator) -> list[Target]:
    """Every release that is deployed, by the endpoint's name.

    :param aws: the embedded AWS, with the assembly deployed.
    :raises NothingToRehearse: when one is there that cannot be rehearsed.
    """
    states = aws.client("stepfunctions")
    pages = states.get_paginator("list_state_machines").paginate()
    targets = []
    for machine in [one["stateMachineArn"] for page in pages for one in page["stateMachines"]]:
        definition = json.loads(states.describe_state_machine(stateMachineArn=machine)["definition"])
        specification = _specification(definition)
        if specification is not None:
            targets.append(_target(aws, machine, definition, specification))
    return sorted(targets, key=lambda one: one.endpoint)


def _target(
    aws: Administrator, machine: str, definition: Mapping[str, Any], specification: EndpointSpecification
) -> Target:
    functions = {str(one) for one in _values(definition, "FunctionName")}
    known = [aws.client("lambda").get_function_configuration(FunctionName=one) for one in sorted(functions)]
    tables = {table for one in known if (table := one.get("Environment", {}).get("Variables", {}).get(RECORDS))}
    buckets = {bucket for one in known for bucket in _buckets(aws, one["Role"])}
    if not buckets:
        raise NothingToRehearse(f"no function of {machine} may read models below runs/ of a bucket")
    return Target(
        specification=specification,
        machine=machine,
        group=_group(aws, machine),
        bucket=min(buckets),
        image=_image(aws),
        table=min(tables, default=None),
        strategy=_strategy(definition),
        region=aws.settings.region,
        by_approval=machine in {target for _, target in started_by_approvals(aws)},
    )


def _written(text: Any) -> Any:
    """A definition as the template has it; a word stands in the place of what only the deployment knows."""
    if isinstance(text, dict) and "Fn::Join" in text:
        separator, parts = text["Fn::Join"]
        text = separator.join(part if isinstance(part, str) else "token" for part in parts)
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return {}


def _strategy(definition: Any) -> Mapping[str, Any]:
    return next((one for one in _values(definition, "strategy") if isinstance(one, dict)), {})


def _specification(definition: Mapping[str, Any]) -> EndpointSpecification | None:
    for value in _values(definition, "specification"):
        try:
            return EndpointSpecification.from_mapping(value)
        except (SpecificationError, TypeError, AttributeError):
            continue
    return None


def _values(value: Any, name: str) -> Iterator[Any]:
    """What stands under ``name``, anywhere below."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == name:
                yield inner
            yield from _values(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, name)


def started_by_approvals(aws: Administrator) -> Iterator[tuple[str, str]]:
    """Each rule that hears of approvals, and what it starts.

    :param aws: the embedded AWS, with the assembly deployed.
    """
    events = aws.client("events")
    for rule in events.list_rules()["Rules"]:
        pattern = json.loads(rule.get("EventPattern") or "{}")
        if "Approved" in pattern.get("detail", {}).get("ModelApprovalStatus", []):
            for one in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                yield rule["Name"], one["Arn"]


def _group(aws: Administrator, machine: str) -> str:
    events = aws.client("events")
    for rule in events.list_rule_names_by_target(TargetArn=machine)["RuleNames"]:
        pattern = json.loads(events.describe_rule(Name=rule).get("EventPattern") or "{}")
        for group in pattern.get("detail", {}).get("ModelPackageGroupName", []):
            return str(group)
    raise NothingToRehearse(f"no rule starts {machine} when a version is approved")


def _buckets(aws: Administrator, role_arn: str) -> Iterator[str]:
    """The buckets whose runs a role may read."""
    iam, name = aws.client("iam"), role_arn.rsplit("/", 1)[-1]
    documents = [
        iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)
        documents.append(found["PolicyVersion"]["Document"])
    for match in map(_READ.fullmatch, _texts(documents)):
        if match is not None:
            yield match["bucket"]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _image(aws: Administrator) -> str:
    """The image of this region that runs our serving container: another one could not run the faults."""
    for record in sorted((aws.settings.state_dir / "images").glob("*/image.json")):
        image = json.loads(record.read_text())
        is_here = f".ecr.{aws.settings.region}." in image["uri"]
        if is_here and SERVER in " ".join([*image["entrypoint"], *image["command"]]):
            return str(image["uri"])
    raise NothingToRehearse("no image of the assembly runs our serving container, which the faulty versions need")

"""The service quotas that an assembly needs, each with the command that asks for it: new accounts have none of some.

Quotas are named, not numbered: the command looks the code up where it is asked, so that none can be out of date here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlplatform_cdk.assembly.check.loose import listed, mapping
from mlplatform_cdk.assembly.check.references import is_marked, unmarked
from mlplatform_cdk.assembly.check.states.definitions import definitions
from mlplatform_cdk.assembly.check.states.machine import states
from mlplatform_cdk.assembly.check.templates import Resource, Template
from mlplatform_cdk.assembly.findings import Table

_PER_TYPE = {
    # resource type: service, quota
    "AWS::EC2::EIP": ("ec2", "EC2-VPC Elastic IPs"),
    "AWS::EC2::InternetGateway": ("vpc", "Internet gateways per Region"),
    "AWS::EC2::NatGateway": ("vpc", "NAT gateways per Availability Zone"),
    "AWS::EC2::VPC": ("vpc", "VPCs per Region"),
    "AWS::SageMaker::Domain": ("sagemaker", "Total domains"),
}
_JOBS = {
    # call of a state: where its instances are, and the quota's usage
    "createTrainingJob": ("ResourceConfig", "training job usage"),
    "createProcessingJob": ("ProcessingResources.ClusterConfig", "processing job usage"),
    "createTransformJob": ("TransformResources", "transform job usage"),
}
_COLUMNS = ("account and region", "service", "quota", "at least", "for", "how to ask for it")
_NOTE = "Compare with what the account has; an update that replaces an instance needs twice as many while it runs."


@dataclass(frozen=True, slots=True)
class Need:
    """One quota that one resource needs.

    :param count: how many; None when only a run decides.
    :param machine: the state machine whose state needs it: its states come one after another.
    """

    service: str
    quota: str
    count: int | None
    place: str
    machine: str = ""


def quotas(templates: Sequence[Template]) -> Table:
    """All quotas, summed up per account and region."""
    summed: dict[tuple[str, str, str, str], list[Need]] = {}
    for template in templates:
        account, region = template.account or "any account", template.region or "any region"
        for need in _needs(template):
            summed.setdefault((account, region, need.service, need.quota), []).append(need)
    rows = tuple(
        (f"{account} {region}", service, quota, _total(needs), _places(needs), _command(service, quota, needs, region))
        for (account, region, service, quota), needs in sorted(summed.items())
    )
    return Table(title="service quotas", columns=_COLUMNS, rows=rows, note=_NOTE)


def _needs(template: Template) -> Iterator[Need]:
    for resource in template.resources:
        if resource.type in _PER_TYPE:
            yield Need(*_PER_TYPE[resource.type], 1, _name(resource))
        yield from _of_resource(resource)
    for name, definition in definitions(template.references):
        for state_name, state in states(definition) if isinstance(definition, dict) else ():
            machine = template.paths.get(name, name).removesuffix("/Resource")
            yield from (replace(need, machine=machine) for need in _of_state(state, f"{machine} state {state_name}"))


def _of_resource(resource: Resource) -> Iterator[Need]:
    match resource.type:
        case "AWS::SageMaker::EndpointConfig":
            yield from _of_variants(resource.properties, _name(resource))
        case "AWS::SageMaker::NotebookInstance":
            kind = _instance(resource.properties)
            yield Need("sagemaker", f"{kind} for notebook instance usage", 1, _name(resource))
        case "AWS::EC2::VPCEndpoint" if resource.properties.get("VpcEndpointType") == "Interface":
            yield Need("vpc", "Interface VPC endpoints per VPC", 1, _name(resource))
        case "AWS::Lambda::Function" if resource.properties.get("ReservedConcurrentExecutions"):
            count = _number(resource.properties, "ReservedConcurrentExecutions")
            yield Need("lambda", "Concurrent executions", count, _name(resource))


def _of_state(state: Mapping[str, Any], place: str) -> Iterator[Need]:
    call = str(state.get("Resource", "")).rpartition(":sagemaker:")[2].partition(".")[0]
    parameters = state.get("Parameters", state.get("Arguments", {}))
    if call == "createEndpointConfig":
        yield from _of_variants(parameters, place)
    if call not in _JOBS or not isinstance(parameters, Mapping):
        return
    path, usage = _JOBS[call]
    cluster: Any = parameters
    for part in path.split("."):
        cluster = mapping(cluster.get(part))
    kind, count = _instance(cluster), _number(cluster, "InstanceCount")
    spot = parameters.get("EnableManagedSpotTraining") is True
    yield Need("sagemaker", f"{kind} for {'spot ' if spot else ''}{usage}", count, place)
    if "KeepAlivePeriodInSeconds" in cluster:
        yield Need("sagemaker", f"{kind} for training warm pool usage", count, place)


def _of_variants(holder: Any, place: str) -> Iterator[Need]:
    for variant in listed(holder.get("ProductionVariants")) if isinstance(holder, Mapping) else ():
        if isinstance(variant, Mapping) and "ServerlessConfig" not in variant:
            count = _number(variant, "InitialInstanceCount")
            yield Need("sagemaker", f"{_instance(variant)} for endpoint usage", count, place)
            yield Need("sagemaker", "Number of instances across active endpoints", count, place)


def _instance(holder: Mapping[str, Any]) -> str:
    kind = holder.get("InstanceType")
    return kind if isinstance(kind, str) and not is_marked(kind) else "the instance type of the run"


def _number(holder: Mapping[str, Any], name: str) -> int | None:
    try:
        return int(holder[name])
    except (KeyError, TypeError, ValueError):
        return None


def _name(resource: Resource) -> str:
    return resource.construct_path.removesuffix("/Resource") or f"{resource.template.stack}/{resource.logical_id}"


def _total(needs: Sequence[Need]) -> str:
    known = _at_once(needs)
    return f"{known} and what a run asks for" if any(need.count is None for need in needs) else str(known)


def _at_once(needs: Sequence[Need]) -> int:
    alone = sum(need.count or 0 for need in needs if not need.machine)
    machines = {need.machine for need in needs if need.machine}
    return alone + sum(max(need.count or 0 for need in needs if need.machine == one) for one in machines)


def _places(needs: Sequence[Need]) -> str:
    first, *more = sorted({unmarked(need.place) for need in needs})
    return f"{first} and {len(more)} more" if more else first


def _command(service: str, quota: str, needs: Sequence[Need], region: str) -> str:
    if "of the run" in quota:
        return "see what the run's input asks for"
    where = f" --region {region}" if region != "any region" else ""
    code = (
        f"aws service-quotas list-aws-default-service-quotas --service-code {service}{where} "
        f"""--query "Quotas[?QuotaName=='{quota}'].QuotaCode" --output text"""
    )
    count = max(_at_once(needs), 1)
    return (
        f"aws service-quotas request-service-quota-increase --service-code {service}{where} "
        f'--quota-code "$({code})" --desired-value {count}'
    )

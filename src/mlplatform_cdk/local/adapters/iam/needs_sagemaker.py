"""SageMaker's permissions: the resource by its name, the configuration of an endpoint, the tags given at creation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlplatform_cdk.local.adapters.iam.arns import Alternatives, make
from mlplatform_cdk.local.adapters.iam.calls import Call
from mlplatform_cdk.local.adapters.iam.statements import Need

# Operations whose verb is not followed by the resource that they act on.
NOUNS = {
    "InvokeEndpoint": "Endpoint",
    "InvokeEndpointAsync": "Endpoint",
    "InvokeEndpointWithResponseStream": "Endpoint",
    "UpdateEndpointWeightsAndCapacities": "Endpoint",
    "AddAssociation": "",
    "BatchDescribeModelPackage": "",
}
NEEDS_CONFIGURATION = ("CreateEndpoint", "UpdateEndpoint")
# What is in a Studio domain, and what follows the domain in its ARN.
IN_DOMAIN = {
    "App": ("UserProfileName", "SpaceName", "AppType", "AppName"),
    "Space": ("SpaceName",),
    "UserProfile": ("UserProfileName",),
}
BY_ARN = ("AddTags", "ListTags", "DeleteTags")


def of(call: Call) -> Iterator[Need]:
    """What a call of SageMaker needs."""
    action = f"sagemaker:{call.operation}"
    context = _context(call.parameters)
    resources = _resources(call)
    yield Need(action=action, resources=resources, context=context)
    if call.operation in NEEDS_CONFIGURATION:
        yield Need(action=action, resources=_arn(call, "endpoint-config", call.parameters["EndpointConfigName"]))
    if call.operation.startswith("Create") and call.parameters.get("Tags"):
        yield Need(action="sagemaker:AddTags", resources=resources, context=context)


def _resources(call: Call) -> Alternatives | None:
    if call.operation in BY_ARN:
        return (call.parameters["ResourceArn"],)
    if call.operation.startswith("List") or call.operation == "Search":
        return None
    noun = NOUNS.get(call.operation) or re.sub(r"^[A-Z][a-z]+", "", call.operation)
    if call.operation == "CreateModelPackage" and "ModelPackageGroupName" in call.parameters:
        group = call.parameters["ModelPackageGroupName"].rsplit("/", 1)[-1]
        return (*_arn(call, "model-package-group", group), *_arn(call, "model-package", f"{group}/1"))
    if noun in IN_DOMAIN:
        names = (call.parameters.get(name) for name in ("DomainId", *IN_DOMAIN[noun]))
        return _arn(call, _kebab(noun), "/".join(name for name in names if name))
    for parameter in (f"{noun}Name", f"{noun}Arn", f"{noun}Id"):
        value = call.parameters.get(parameter)
        if isinstance(value, str):
            return (value,) if value.startswith("arn:") else _arn(call, _kebab(noun), value)
    return None


def _arn(call: Call, kind: str, name: str) -> Alternatives:
    """SageMaker writes names in lower case into its ARNs."""
    if name.startswith("arn:"):
        return (name,)
    return tuple(dict.fromkeys((make(call, f"{kind}/{name.lower()}"), make(call, f"{kind}/{name}"))))


def _kebab(noun: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", noun).lower()


def _context(parameters: Mapping[str, Any]) -> dict[str, list[str]]:
    context: dict[str, list[str]] = {}
    instance_types = _values_of(parameters, "InstanceType")
    if instance_types:
        context["sagemaker:instancetypes"] = instance_types
    network: Mapping[str, Any] = parameters.get("NetworkConfig") or parameters
    vpc = network.get("VpcConfig") or {}
    if vpc:
        context["sagemaker:vpcsubnets"] = list(vpc.get("Subnets", []))
        context["sagemaker:vpcsecuritygroupids"] = list(vpc.get("SecurityGroupIds", []))
    if "EnableNetworkIsolation" in network:
        context["sagemaker:networkisolation"] = [str(network["EnableNetworkIsolation"]).lower()]
    if "ModelApprovalStatus" in parameters:
        context["sagemaker:modelapprovalstatus"] = [parameters["ModelApprovalStatus"]]
    if "TargetVariant" in parameters:
        context["sagemaker:targetvariant"] = [parameters["TargetVariant"]]
    for tag in parameters.get("Tags") or []:
        context[f"aws:requesttag/{tag['Key']}".lower()] = [tag["Value"]]
        context.setdefault("aws:tagkeys", []).append(tag["Key"])
    return context


def _values_of(value: Any, name: str) -> list[str]:
    if isinstance(value, Mapping):
        own = [value[name]] if isinstance(value.get(name), str) else []
        return own + [found for inner in value.values() for found in _values_of(inner, name)]
    return [found for inner in value for found in _values_of(inner, name)] if isinstance(value, list) else []

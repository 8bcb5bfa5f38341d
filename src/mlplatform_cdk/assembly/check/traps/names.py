"""Names, ARNs and addresses written down where AWS or CDK would know better."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlplatform_cdk.assembly.check.loose import listed
from mlplatform_cdk.assembly.check.templates import Template
from mlplatform_cdk.assembly.check.traps.words import TOOL, Rule, caught, trap
from mlplatform_cdk.assembly.findings import Finding, Severity

_REPLACED_WITH_NAME = {
    "AWS::SageMaker::DataQualityJobDefinition": "JobDefinitionName",
    "AWS::SageMaker::EndpointConfig": "EndpointConfigName",
    "AWS::SageMaker::Model": "ModelName",
    "AWS::SageMaker::ModelBiasJobDefinition": "JobDefinitionName",
    "AWS::SageMaker::ModelExplainabilityJobDefinition": "JobDefinitionName",
    "AWS::SageMaker::ModelQualityJobDefinition": "JobDefinitionName",
}
_RETIRED = {
    "AWS::CodeCommit::Repository": "CodeCommit takes no new customers; give the pipeline another source",
    "AWS::SageMaker::App": "apps of Studio Classic are retired; spaces make their apps by themselves",
    "AWS::QLDB::Ledger": "QLDB has ended",
    "AWS::Cloud9::EnvironmentEC2": "Cloud9 takes no new customers",
}
_IMAGE = re.compile(r"\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com")


def fixed_name(template: Template) -> Iterator[Finding]:
    """2: a fixed name on what every change replaces."""
    for resource in template.of_type(*_REPLACED_WITH_NAME):
        name = _REPLACED_WITH_NAME[resource.type]
        if isinstance(resource.properties.get(name), str):
            yield caught(
                resource,
                trap(2, "fixed-name"),
                Severity.ERROR,
                f"{resource.type} has the fixed name {resource.properties[name]!r}",
                reason="its next change makes a new one before it removes the old one, and the name is taken",
                way_out=f"leave {name} out: CloudFormation makes a name",
                at=name,
            )


def duplicate_principal(template: Template) -> Iterator[Finding]:
    """9: one principal twice, as when two environments share an account."""
    for resource in template.resources:
        for name in ("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument"):
            for statement in _statements(resource.properties.get(name)):
                principals = [json.dumps(one, sort_keys=True) for one in _principals(statement)]
                twice = sorted({one for one in principals if principals.count(one) > 1})
                if twice:
                    yield caught(
                        resource,
                        trap(9, "duplicate-principal"),
                        Severity.WARNING,
                        f"a statement names the principal {twice[0]} {principals.count(twice[0])} times",
                        reason="two environments in one account are one principal, and some services refuse it twice",
                        way_out="remove duplicates from the list of accounts or roles",
                        at=name,
                    )


def retired(template: Template) -> Iterator[Finding]:
    """18: services past their end."""
    for resource in template.of_type(*_RETIRED):
        yield caught(
            resource,
            trap(18, "retired-service"),
            Severity.WARNING,
            f"{resource.type} belongs to a retired service: {_RETIRED[resource.type]}",
            reason="a new account cannot make it",
            way_out=_RETIRED[resource.type],
        )


def foreign_registry(template: Template) -> Iterator[Finding]:
    """19: an image of another region's registry, written down."""
    for resource in template.resources:
        for region in sorted(set(_IMAGE.findall(json.dumps(resource.properties)))):
            if template.region and region != template.region:
                yield caught(
                    resource,
                    trap(19, "foreign-registry"),
                    Severity.WARNING,
                    f"an image comes from a registry in {region}, the stack is in {template.region}",
                    reason="SageMaker and Lambda take images of their own region only",
                    way_out="make the image's address a parameter, or take it from CDK's facts of regions",
                )


def hard_partition(template: Template) -> Iterator[Finding]:
    """20: ARNs of the commercial partition in another one."""
    if template.references.partition == "aws":
        return
    for resource in template.resources:
        if '"arn:aws:' in json.dumps(resource.properties):
            yield caught(
                resource,
                trap(20, "hard-partition"),
                Severity.ERROR,
                f"an ARN begins with arn:aws:, the stack is in {template.references.partition}",
                reason="no such ARN exists in that partition",
                way_out="build ARNs with Stack.format_arn, or with ${AWS::Partition}",
            )


def exports(template: Template) -> Iterator[Finding]:
    """11: exports, which cannot change while another stack imports them."""
    exported = [name for name, output in template.document.get("Outputs", {}).items() if "Export" in output]
    if exported:
        yield template.finding(
            trap(11, "exports"),
            Severity.INFO,
            f"the stack exports {len(exported)} values: {', '.join(exported[:5])}{'...' if exported[5:] else ''}",
            reason="an export cannot change or go while another stack imports it",
            way_out="publish the value as an SSM parameter",
            tools=(TOOL,),
        )


def _statements(document: Any) -> list[Mapping[str, Any]]:
    found = listed(document.get("Statement")) if isinstance(document, Mapping) else []
    return [one for one in found if isinstance(one, Mapping)]


def _principals(statement: Mapping[str, Any]) -> list[Any]:
    principal = statement.get("Principal")
    return [one for kind in principal.values() for one in listed(kind)] if isinstance(principal, Mapping) else []


RULES: tuple[Rule, ...] = (fixed_name, duplicate_principal, retired, foreign_registry, hard_partition, exports)

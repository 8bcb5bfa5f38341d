"""CloudFormation's and IAM's limits, before a deployment meets them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlplatform_cdk.assembly.check.loose import listed, mappings
from mlplatform_cdk.assembly.check.references import unmarked
from mlplatform_cdk.assembly.check.templates import Template
from mlplatform_cdk.assembly.check.traps.words import TOOL, Rule, caught, trap
from mlplatform_cdk.assembly.findings import Finding, Severity

_NEAR = 0.8  # of a limit
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
_MOST_RESOURCES, _MOST_BYTES = 500, 1_000_000
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, and the services' own pages
_POLICIES = {
    ("AWS::EC2::VPCEndpoint", "PolicyDocument"): 20 * 1024,
    ("AWS::ECR::Repository", "RepositoryPolicyText"): 10_240,
    ("AWS::IAM::ManagedPolicy", "PolicyDocument"): 6144,
    ("AWS::IAM::Role", "AssumeRolePolicyDocument"): 2048,
    ("AWS::KMS::Key", "KeyPolicy"): 32 * 1024,
    ("AWS::S3::BucketPolicy", "PolicyDocument"): 20 * 1024,
    ("AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupPolicy"): 20_480,
    ("AWS::SNS::TopicPolicy", "PolicyDocument"): 30 * 1024,
    ("AWS::SQS::QueuePolicy", "PolicyDocument"): 8 * 1024,
}
_INLINE = 10_240  # all inline policies of one role together


def policy_sizes(template: Template) -> Iterator[Finding]:
    """10: policies near or over their size."""
    for resource in template.resources:
        for (kind, name), limit in _POLICIES.items():
            if resource.type == kind and name in resource.properties:
                size = _size(template, resource.properties[name])
                if size > limit * _NEAR:
                    yield caught(
                        resource,
                        trap(10, "policy-size"),
                        Severity.ERROR if size > limit else Severity.WARNING,
                        f"the policy has about {size} characters, {limit} are allowed",
                        reason="the deployment fails once it is larger",
                        way_out="split it, or name resources by a prefix",
                        at=name,
                    )


def inline_policies(template: Template) -> Iterator[Finding]:
    """10: a role's inline policies together."""
    for role in template.of_type("AWS::IAM::Role"):
        documents = [one.get("PolicyDocument") for one in mappings(role.properties.get("Policies"))]
        for policy in template.of_type("AWS::IAM::Policy", "AWS::IAM::RolePolicy"):
            roles = [*listed(policy.properties.get("Roles")), policy.properties.get("RoleName")]
            if {"Ref": role.logical_id} in roles:
                documents.append(policy.properties.get("PolicyDocument"))
        size = sum(_size(template, one) for one in documents)
        if size > _INLINE * _NEAR:
            yield caught(
                role,
                trap(10, "policy-size"),
                Severity.ERROR if size > _INLINE else Severity.WARNING,
                f"the role's inline policies have about {size} characters, {_INLINE} are allowed",
                reason="the deployment fails once they are larger",
                way_out="move statements into managed policies",
            )


def stack_sizes(template: Template) -> Iterator[Finding]:
    """11: stacks near CloudFormation's limits."""
    resources, size = len(template.resources), template.path.stat().st_size
    for what, count, most in (("resources", resources, _MOST_RESOURCES), ("bytes", size, _MOST_BYTES)):
        if count > most * _NEAR:
            yield template.finding(
                trap(11, "stack-size"),
                Severity.ERROR if count > most else Severity.WARNING,
                f"the template has {count} {what}, {most} are allowed",
                reason="the deployment fails once there are more",
                way_out="split the stack",
                tools=(TOOL,),
            )


def _size(template: Template, document: Any) -> int:
    """Without white space, as IAM counts, with references at about their final length."""
    return len(json.dumps(_resolved(template, document), separators=(",", ":"), ensure_ascii=False))


def _resolved(template: Template, value: Any) -> Any:
    if isinstance(value, Mapping):
        if len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")):
            return unmarked(template.references.text(value))
        return {name: _resolved(template, one) for name, one in value.items()}
    return [_resolved(template, one) for one in value] if isinstance(value, list) else value


RULES: tuple[Rule, ...] = (policy_sizes, inline_policies, stack_sizes)

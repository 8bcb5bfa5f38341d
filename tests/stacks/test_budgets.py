"""Does every stack, and every policy in it, stay well below what AWS takes?"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.stacks.conftest import Platform

# CloudFormation takes 500 resources and 1 MB (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/
# cloudformation-limits.html); what comes near it can no longer grow, and splitting a stack moves what it holds.
MOST_RESOURCES = 400
MOST_BYTES = 1024 * 1024 * 80 // 100
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, and the services' own quotas.
# Without white space, which IAM does not count.
POLICY_LIMITS = {
    ("AWS::EC2::VPCEndpoint", "PolicyDocument"): 20_480,
    ("AWS::ECR::Repository", "RepositoryPolicyText"): 10_240,
    ("AWS::IAM::ManagedPolicy", "PolicyDocument"): 6_144,
    ("AWS::IAM::Role", "AssumeRolePolicyDocument"): 2_048,
    ("AWS::IAM::Role", "Policies"): 10_240,
    ("AWS::KMS::Key", "KeyPolicy"): 32_768,
    ("AWS::S3::BucketPolicy", "PolicyDocument"): 20_480,
    ("AWS::SNS::TopicPolicy", "PolicyDocument"): 30_720,
    ("AWS::SQS::QueuePolicy", "PolicyDocument"): 8_192,
    ("AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupPolicy"): 20_480,
}
MOST_POLICIES_OF_A_ROLE = 10


def over(sizes: Mapping[str, int], limit: int) -> list[str]:
    """Those that grew over their limit, by name."""
    return [f"{name}: {size} of {limit}" for name, size in sorted(sizes.items()) if size > limit]


def policy_sizes(platform: Platform, type_: str, property_: str) -> dict[str, int]:
    return {
        name: len(json.dumps(properties[property_], separators=(",", ":")))
        for name, properties in resources(platform, type_)
        if property_ in properties
    }


def resources(platform: Platform, type_: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for stack in platform.stacks.values():
        for logical_id, resource in stack.resources(type_):
            yield f"{stack.name}/{logical_id}", resource.get("Properties", {})


def test_no_stack_grew_over_the_budget_of_resources(platform: Platform) -> None:
    assert (
        over({name: len(stack.template["Resources"]) for name, stack in platform.stacks.items()}, MOST_RESOURCES) == []
    )


def test_no_template_grew_over_the_budget_of_bytes(platform: Platform) -> None:
    assert over({name: len(stack.text.encode()) for name, stack in platform.stacks.items()}, MOST_BYTES) == []


@pytest.mark.parametrize(("kind", "limit"), POLICY_LIMITS.items(), ids=str)
def test_no_policy_grew_over_its_limit(platform: Platform, kind: tuple[str, str], limit: int) -> None:
    assert over(policy_sizes(platform, *kind), limit) == []


def test_no_role_has_more_policies_than_it_may(platform: Platform) -> None:
    attached = {
        name: len(properties.get("ManagedPolicyArns", ())) for name, properties in resources(platform, "AWS::IAM::Role")
    }

    assert attached
    assert over(attached, MOST_POLICIES_OF_A_ROLE) == []


def test_what_grew_is_told_by_its_name() -> None:
    assert over({"Serving": 401, "Data": 3}, 400) == ["Serving: 401 of 400"]

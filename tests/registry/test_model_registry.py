"""Who may do what with the versions of a model?"""

from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Match, Template

from mlplatform_cdk.core import ConfigurationError, PlatformRole
from mlplatform_cdk.registry import ApprovalRule, ModelRegistry


@pytest.fixture
def stack() -> Stack:
    return Stack(
        App(context={"@aws-cdk/core:enablePartitionLiterals": True}),
        "Registry",
        env=Environment(account="123456789012", region="eu-west-1"),
    )


def someone(stack: Stack) -> PlatformRole:
    return PlatformRole(
        stack, "Someone", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), description="Somebody"
    )


def allowed(stack: Stack) -> Mapping[str, list[Any]]:
    """Actions that the only policy allows, to their resources."""
    (policy,) = Template.from_stack(stack).find_resources("AWS::IAM::ManagedPolicy").values()
    return {
        action: statement["Resource"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


GROUP = [
    "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/churn",
    "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/*",
]


@pytest.mark.parametrize(
    ("grant", "actions"),
    [
        ("grant_register", {"sagemaker:AddTags", "sagemaker:CreateModelPackage"}),
        ("grant_read", {"sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"}),
        ("grant_update", {"sagemaker:UpdateModelPackage"}),
        ("grant_approve", {"sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"}),
    ],
)
def test_a_grant_reaches_one_groups_versions_only(stack: Stack, grant: str, actions: set[str]) -> None:
    getattr(ModelRegistry.from_group_name(stack, "Churn", "churn"), grant)(someone(stack))

    assert allowed(stack) == dict.fromkeys(actions, GROUP)


def test_a_borrowed_registry_defines_nothing(stack: Stack) -> None:
    ModelRegistry.from_group_name(stack, "Churn", "churn")

    assert "Resources" not in Template.from_stack(stack).to_json()


def test_a_person_approves_unless_a_rule_is_given(stack: Stack) -> None:
    ModelRegistry(stack, "Churn", model_package_group_name="churn")

    Template.from_stack(stack).resource_count_is("AWS::Lambda::Function", 0)


def test_a_rule_answers_the_events_of_its_group_alone(stack: Stack) -> None:
    ModelRegistry(
        stack,
        "Churn",
        model_package_group_name="churn",
        auto_approve=ApprovalRule(metric="roc_auc", at_least=0.9),
    )

    Template.from_stack(stack).has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Package State Change"],
                "detail": {
                    "ModelPackageGroupName": ["churn"],
                    "ModelApprovalStatus": ["PendingManualApproval"],
                },
            },
            "Targets": [Match.object_like({"DeadLetterConfig": Match.any_value(), "RetryPolicy": Match.any_value()})],
        },
    )


def test_versions_are_kept_when_their_stack_goes(stack: Stack) -> None:
    ModelRegistry(stack, "Churn", model_package_group_name="churn")

    Template.from_stack(stack).has_resource("AWS::SageMaker::ModelPackageGroup", {"DeletionPolicy": "Retain"})


@pytest.mark.parametrize("name", ["Churn", "churn_2", "-churn", "c" * 64, ""])
def test_a_group_name_that_an_arn_would_not_repeat_is_refused(stack: Stack, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"\[Registry/Churn\] model_package_group_name must be 1 to 63 lower"):
        ModelRegistry(stack, "Churn", model_package_group_name=name)

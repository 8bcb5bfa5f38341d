"""Where may an image come from, and what does pulling it take?"""

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Match, Template

from mlplatform_cdk.core import ConfigurationError, PlatformImage

URI = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/trainer:1.4"


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Images", env=Environment(account="123456789012", region="eu-west-1"))


def _statements(stack: Stack, image: PlatformImage) -> Template:
    image.grant_pull(iam.Role(stack, "Puller", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com")))
    return Template.from_stack(stack)


def test_an_image_by_uri_is_pulled_from_its_own_account_and_repository(stack: Stack) -> None:
    image = PlatformImage.from_uri(stack, "Theirs", URI)

    template = _statements(stack, image)

    assert (image.image_uri, image.version) == (URI, "1.4")
    arn = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":ecr:eu-west-1:111122223333:repository/team/trainer"]]}
    pull = {
        "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Resource": arn,
    }
    template.has_resource_properties(
        "AWS::IAM::Policy", {"PolicyDocument": {"Statement": Match.array_with([Match.object_like(pull)])}}
    )


@pytest.mark.parametrize("uri", ["python:3.12", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/untagged"])
def test_an_image_that_sagemaker_could_not_pull_reproducibly_is_refused(stack: Stack, uri: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"\[Images/Theirs\] image_uri must be an ECR image with a tag or digest"
    ):
        PlatformImage.from_uri(stack, "Theirs", uri)


def test_a_deep_learning_container_comes_from_the_registry_of_the_stacks_region(stack: Stack) -> None:
    image = PlatformImage.from_deep_learning_container(stack, "Aws", repository="pytorch-training", tag="2.8.0-gpu")

    assert stack.resolve(image.image_uri) == {
        "Fn::Join": ["", ["763104351884.dkr.ecr.eu-west-1.", {"Ref": "AWS::URLSuffix"}, "/pytorch-training:2.8.0-gpu"]]
    }


def test_an_image_of_a_repository_of_the_app_is_named_by_tag(stack: Stack) -> None:
    repository = ecr.Repository.from_repository_name(stack, "Repository", "trainer")

    image = PlatformImage.from_repository(stack, "Ours", repository, tag="2.0")

    assert "trainer:2.0" in str(stack.resolve(image.image_uri))
    assert image.version == "2.0"

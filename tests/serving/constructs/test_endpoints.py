"""What is an endpoint of the template, and what may it never hold?"""

import json
from dataclasses import replace

import pytest
from aws_cdk import App, CfnParameter, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Annotations, Match, Template

from mlplatform_cdk.core import ConfigurationError, PlatformImage
from mlplatform_cdk.foundation import JobNetwork
from mlplatform_cdk.runtimekit.endpoint_specification import EndpointSpecification, SpecificationError
from mlplatform_cdk.serving import (
    DataCapture,
    Endpoint,
    ImagePipeline,
    ImageRegistry,
    Processor,
    ReleasedEndpoint,
    ScalingRange,
    ServingImage,
)
from mlplatform_cdk.serving.inference_ami import CUDA_13
from tests.serving.constructs.conftest import Ground

SPECIFICATION = EndpointSpecification(
    endpoint_name="dev-churn",
    instance_type="ml.m5.large",
    minimum=1,
    maximum=4,
    invocations_per_minute=600,
    model_role_arn="arn:aws:iam::123456789012:role/model",
    network_isolation=True,
)


def released(ground: Ground, **arguments: object) -> ReleasedEndpoint:
    named = {"endpoint_name": "dev-churn", **arguments}
    return ReleasedEndpoint(ground.stack, "Endpoint", artifacts=ground.artifacts, key=ground.key, **named)


def test_a_released_endpoint_puts_no_model_and_no_endpoint_into_the_template(ground: Ground) -> None:
    released(ground)

    template = Template.from_stack(ground.stack)
    for kind in ("Endpoint", "EndpointConfig", "Model"):
        template.resource_count_is(f"AWS::SageMaker::{kind}", 0)


def test_its_removal_is_a_resource_of_its_own_that_goes_before_the_models_role(ground: Ground) -> None:
    released(ground)

    template = Template.from_stack(ground.stack)
    template.has_resource(
        "Custom::ReleasedEndpoint",
        {
            "Properties": {"EndpointName": "dev-churn", "ServiceTimeout": "1200"},
            "DependsOn": Match.array_with([Match.string_like_regexp("EndpointModelRole")]),
        },
    )
    template.resource_properties_count_is("AWS::Lambda::Function", {"Runtime": Match.absent()}, 0)


def test_a_renamed_endpoint_shares_nothing_with_the_removal_of_the_old_one(ground: Ground) -> None:
    def removals(name: str) -> set[str]:
        stack = Stack(App(), "Serving")
        artifacts, key = s3.Bucket(stack, "Artifacts"), kms.Key(stack, "Key")
        ReleasedEndpoint(stack, "Endpoint", endpoint_name=name, artifacts=artifacts, key=key)
        return {id_ for id_ in Template.from_stack(stack).to_json()["Resources"] if "EndpointRemoval" in id_}

    assert len(removals("churn")) > 3
    assert not removals("churn") & removals("loyalty")


def test_no_permission_has_a_wildcard_action(ground: Ground) -> None:
    network = JobNetwork(subnet_ids=("subnet-1",), security_group_ids=("sg-1",))
    released(ground, network=network, capture=DataCapture())

    for policy in Template.from_stack(ground.stack).find_resources("AWS::IAM::ManagedPolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            assert "*" not in json.dumps(statement["Action"])


def test_the_models_of_an_endpoint_without_capture_write_nothing(ground: Ground) -> None:
    endpoint = released(ground)

    assert endpoint.specification.capture_uri is None
    assert "s3:PutObject" not in json.dumps(Template.from_stack(ground.stack).find_resources("AWS::IAM::ManagedPolicy"))


@pytest.mark.parametrize("name", ["Churn", "churn--eu", "-churn", "churn_1", "", "c" * 39])
def test_a_name_that_would_reach_into_anothers_is_refused(ground: Ground, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"\[Serving/Endpoint\] endpoint_name must be 1 to 38 lower-case"):
        released(ground, endpoint_name=name)


def test_a_name_that_only_the_deployment_knows_is_taken(ground: Ground) -> None:
    name = CfnParameter(ground.stack, "Name").value_as_string

    assert released(ground, endpoint_name=name).endpoint_name == name


def test_an_instance_type_without_its_prefix_is_refused_with_the_right_one(ground: Ground) -> None:
    with pytest.raises(ConfigurationError, match=r"instance_type must have the form .*try 'ml.g5.xlarge'"):
        released(ground, instance_type="g5.xlarge")


def test_a_key_that_is_left_out_is_mentioned(ground: Ground) -> None:
    endpoint = released(ground, instance_type="ml.g4dn.xlarge")

    assert endpoint.specification.volume_key_arn is None
    Annotations.from_stack(ground.stack).has_info("/Serving/Endpoint", Match.string_like_regexp("the key is left out"))


@pytest.mark.parametrize(("minimum", "maximum"), [(0, 1), (2, 1)])
def test_a_range_that_no_endpoint_can_have_is_refused(minimum: int, maximum: int) -> None:
    with pytest.raises(ValueError, match="scaling needs 1 <= minimum <= maximum"):
        ScalingRange(minimum=minimum, maximum=maximum)


@pytest.mark.parametrize("percentage", [0, 101])
def test_a_capture_of_nothing_or_too_much_is_refused(percentage: int) -> None:
    with pytest.raises(ValueError, match="percentage must be from 1 to 100"):
        DataCapture(percentage=percentage)


def test_a_borrowed_endpoint_can_be_granted_but_defines_nothing(ground: Ground) -> None:
    caller = iam.Role(ground.stack, "Caller", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))

    Endpoint.from_endpoint_name(ground.stack, "Theirs", "their-endpoint").grant_invoke(caller)

    template = Template.from_stack(ground.stack)
    template.resource_count_is("AWS::SageMaker::Endpoint", 0)
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {"PolicyDocument": {"Statement": [Match.object_like({"Action": "sagemaker:InvokeEndpoint"})]}},
    )


def test_the_metrics_of_a_released_endpoint_count_both_of_its_places(ground: Ground) -> None:
    endpoint = released(ground)

    together = ground.stack.resolve(endpoint.metric_server_errors().to_metric_config())
    assert together["mathExpression"]["expression"] == "FILL(m0, 0) + FILL(m1, 0)"
    one = endpoint.metric_model_latency(variant="b").to_metric_config()
    assert one.metric_stat is not None
    dimensions = {dimension.name: dimension.value for dimension in one.metric_stat.dimensions or []}
    assert dimensions == {"EndpointName": "dev-churn", "VariantName": "b"}


def test_any_image_serves_when_the_models_may_pull_it(ground: Ground) -> None:
    theirs = PlatformImage.from_uri(
        ground.stack, "Theirs", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/triton:24"
    )

    released(ground, image=theirs)

    assert "repository/team/triton" in json.dumps(Template.from_stack(ground.stack).to_json())


def test_our_gpu_image_gets_the_driver_that_it_needs(ground: Ground) -> None:
    image = ServingImage(ground.stack, "Image", processor=Processor.NVIDIA_GPU)

    made = released(ground, image=image, instance_type="ml.g4dn.xlarge")

    assert made.specification.inference_ami_version == CUDA_13 == "al2023-ami-sagemaker-inference-gpu-4-1"


def test_so_does_our_gpu_image_that_aws_builds(ground: Ground) -> None:
    registry = ImageRegistry(ground.stack, "Registry", prefix="ml")
    image = ImagePipeline(
        ground.stack, "Image", registry=registry, name="serving", key=ground.key, processor=Processor.NVIDIA_GPU
    )

    made = released(ground, image=image, instance_type="ml.g5.xlarge")

    assert made.specification.inference_ami_version == CUDA_13


@pytest.mark.parametrize("instance_type", ["ml.m5.large", "ml.inf2.xlarge", "ml.trn1.2xlarge"])
def test_an_instance_without_nvidias_gpus_is_left_to_sagemaker(ground: Ground, instance_type: str) -> None:
    assert released(ground, instance_type=instance_type).specification.inference_ami_version is None


def test_another_image_is_left_to_sagemaker_unless_its_owner_chooses(ground: Ground) -> None:
    theirs = PlatformImage.from_uri(ground.stack, "Theirs", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/triton:24")
    other = ReleasedEndpoint(
        ground.stack,
        "Other",
        endpoint_name="dev-other",
        artifacts=ground.artifacts,
        key=ground.key,
        image=theirs,
        instance_type="ml.g5.xlarge",
        inference_ami_version="al2-ami-sagemaker-inference-gpu-3-1",
    )

    assert released(ground, image=theirs, instance_type="ml.g5.xlarge").specification.inference_ami_version is None
    assert other.specification.inference_ami_version == "al2-ami-sagemaker-inference-gpu-3-1"


@pytest.mark.parametrize("name", ["al2030-ami-sagemaker-inference-gpu-9", "al2-ami-sagemaker-inference-neuron-7"])
def test_a_machine_image_that_is_newer_than_this_package_is_taken(ground: Ground, name: str) -> None:
    made = released(ground, instance_type="ml.inf9.xlarge", inference_ami_version=name)

    assert made.specification.inference_ami_version == name


@pytest.mark.parametrize(
    ("name", "instance_type", "problem"),
    [
        pytest.param("ami-0123456789abcdef0", "ml.g5.xlarge", "be one of SageMaker's names, got 'ami-0", id="EC2's"),
        pytest.param(CUDA_13, "ml.m5.large", "be for the accelerator of ml.m5.large", id="no accelerator"),
        pytest.param(
            "al2-ami-sagemaker-inference-neuron-2", "ml.g5.xlarge", "be for the accelerator", id="another accelerator"
        ),
    ],
)
def test_a_machine_image_that_no_instance_could_start_from_is_refused(
    ground: Ground, name: str, instance_type: str, problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"\[Serving/Endpoint\] inference_ami_version must {problem}"):
        released(ground, instance_type=instance_type, inference_ami_version=name)


def test_what_is_left_to_sagemaker_is_the_fleet_that_it_was_before_there_was_a_choice() -> None:
    assert "inference_ami_version" not in SPECIFICATION.to_mapping()
    assert EndpointSpecification.from_mapping(SPECIFICATION.to_mapping()) == SPECIFICATION
    assert SPECIFICATION.digest() == "543887e606d5611ab327f61d5c5b19d5ce1c5142e927df7e2113d3766a3c1f06"


def test_another_machine_image_is_another_fleet_and_survives_json() -> None:
    chosen = replace(SPECIFICATION, instance_type="ml.g5.xlarge", inference_ami_version=CUDA_13)
    left = replace(chosen, inference_ami_version=None)

    assert chosen.digest() != left.digest()
    assert EndpointSpecification.from_mapping(json.loads(json.dumps(chosen.to_mapping()))) == chosen


def test_a_specification_survives_json(ground: Ground) -> None:
    specification = released(ground).specification

    again = EndpointSpecification.from_mapping(json.loads(json.dumps(specification.to_mapping())))

    assert again == specification


def test_metrics_may_come_every_ten_seconds_and_that_is_another_fleet(ground: Ground) -> None:
    slow = EndpointSpecification.from_mapping(released(ground).specification.to_mapping())
    fast = replace(slow, metrics_every_s=10)

    assert fast.digest() != slow.digest() == replace(slow, metrics_every_s=60).digest()


def test_metrics_at_a_frequency_that_sagemaker_has_not_are_refused(ground: Ground) -> None:
    with pytest.raises(ConfigurationError, match="metrics_every must be 10 or 30 seconds, or 1 to 5 whole minutes"):
        released(ground, metrics_every=Duration.seconds(20))


def test_a_specification_with_a_member_missing_names_it() -> None:
    with pytest.raises(SpecificationError, match=r"must have capture_key_arn, .* got endpoint_name"):
        EndpointSpecification.from_mapping({"endpoint_name": "churn"})

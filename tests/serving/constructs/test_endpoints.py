"""What is an endpoint of the template, and what may it never hold?"""

import json
from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Match, Template

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
from tests.contracts.annotations import told
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


def foreign(ground: Ground) -> PlatformImage:
    return PlatformImage.from_uri(ground.stack, "Theirs", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/triton:24")


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
    endpoint = released(ground, instance_type="ml.m5d.large")

    assert endpoint.specification.volume_key_arn is None
    assert ["the key is left out" in text for text in told(endpoint, "info")] == [True]


@pytest.mark.parametrize(("minimum", "maximum"), [(0, 1), (2, 1)])
def test_a_range_that_no_endpoint_can_have_is_refused(minimum: int, maximum: int) -> None:
    with pytest.raises(ValueError, match="scaling needs 1 <= minimum <= maximum"):
        ScalingRange(minimum=minimum, maximum=maximum)


@pytest.mark.parametrize("percentage", [0, 101, 12.5])
def test_a_capture_of_nothing_too_much_or_a_part_of_a_percent_is_refused(percentage: Any) -> None:
    with pytest.raises(ValueError, match=f"percentage must be a whole number from 1 to 100, got {percentage};"):
        DataCapture(percentage=percentage)


def test_a_range_of_parts_of_instances_is_refused() -> None:
    parts: Any = 2.5
    with pytest.raises(ValueError, match=r"scaling needs whole numbers, got maximum=2\.5"):
        ScalingRange(maximum=parts)


def test_a_number_that_only_the_deployment_knows_is_refused_in_words(ground: Ground) -> None:
    number: Any = CfnParameter(ground.stack, "Number", type="Number").value_as_number

    for make in (lambda: ScalingRange(minimum=number), lambda: DataCapture(percentage=number)):
        with pytest.raises(ValueError, match="a token, which only the deployment knows: give the value itself"):
            make()


def test_a_borrowed_endpoint_can_be_granted_but_defines_nothing(ground: Ground) -> None:
    caller = iam.Role(ground.stack, "Caller", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))

    Endpoint.from_endpoint_name(ground.stack, "Theirs", "their-endpoint").grant_invoke(caller)

    template = Template.from_stack(ground.stack)
    template.resource_count_is("AWS::SageMaker::Endpoint", 0)
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": [
                    Match.object_like(
                        {"Action": ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"]}
                    )
                ]
            }
        },
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
    theirs = foreign(ground)
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
        released(ground, instance_type=instance_type, inference_ami_version=name, image=foreign(ground))


X86, ARM, GPU = Processor.X86_64, Processor.ARM64, Processor.NVIDIA_GPU


@pytest.mark.parametrize(
    ("processor", "instance_type", "problem"),
    [
        pytest.param(
            X86, "ml.g5.xlarge", "must be for Processor.NVIDIA_GPU, got Processor.X86_64; .* or ALLOW_CPU=true"
        ),
        pytest.param(X86, "ml.c7g.large", "must be for Processor.ARM64, got Processor.X86_64; hand in"),
        pytest.param(X86, "ml.m9gd.large", "must be for Processor.ARM64, got Processor.X86_64; hand in"),
        pytest.param(ARM, "ml.m5.large", "must be for Processor.X86_64, got Processor.ARM64; hand in"),
        pytest.param(ARM, "ml.g5.xlarge", "must be for Processor.NVIDIA_GPU, got Processor.ARM64; hand in"),
        pytest.param(GPU, "ml.m5.large", "must be for Processor.X86_64, got Processor.NVIDIA_GPU; hand in"),
        pytest.param(GPU, "ml.c6g.large", "must be for Processor.ARM64, got Processor.NVIDIA_GPU; hand in"),
        pytest.param(GPU, "ml.p3.2xlarge", "CUDA 13, .* capability 7.5 on, got 'ml.p3.2xlarge'; try 'ml.g4dn.xlarge'"),
        pytest.param(GPU, "ml.p3dn.24xlarge", "CUDA 13, .*, got 'ml.p3dn.24xlarge'"),
    ],
)
def test_instances_on_which_our_image_would_not_start_are_refused(
    ground: Ground, processor: Processor, instance_type: str, problem: str
) -> None:
    image = ServingImage(ground.stack, "Image", processor=processor)

    with pytest.raises(ConfigurationError, match=rf"\[Serving/Endpoint\] the image .*{problem}"):
        released(ground, image=image, instance_type=instance_type)


def test_a_gpu_is_left_alone_where_the_endpoint_says_that_the_cpu_may_serve(ground: Ground) -> None:
    made = released(ground, instance_type="ml.g5.xlarge", environment={"ALLOW_CPU": "true"})

    assert made.specification.inference_ami_version is None  # the CPU's image asks for no driver


def test_an_image_that_aws_builds_is_held_against_the_instances_as_well(ground: Ground) -> None:
    registry = ImageRegistry(ground.stack, "Registry", prefix="ml")
    image = ImagePipeline(ground.stack, "Image", registry=registry, name="serving", key=ground.key, processor=ARM)

    with pytest.raises(ConfigurationError, match=r"the image on ml.m5.large must be for Processor.X86_64"):
        released(ground, image=image, instance_type="ml.m5.large")
    assert ReleasedEndpoint(
        ground.stack,
        "Graviton",
        endpoint_name="dev-graviton",
        artifacts=ground.artifacts,
        key=ground.key,
        image=image,
        instance_type="ml.c7g.large",
    )


def test_the_image_that_is_made_when_none_is_handed_in_is_held_against_the_instances_too(ground: Ground) -> None:
    with pytest.raises(ConfigurationError, match=r"the image on ml.c7g.large must be for Processor.ARM64"):
        released(ground, instance_type="ml.c7g.large")


@pytest.mark.parametrize("instance_type", ["ml.x99.mega", "ml.inf2.xlarge", "ml.p6e-gb200.36xlarge"])
def test_a_type_that_is_not_known_takes_any_image(ground: Ground, instance_type: str) -> None:
    image = ServingImage(ground.stack, "Image", processor=GPU)

    assert released(ground, image=image, instance_type=instance_type).specification.instance_type == instance_type


def test_another_image_and_a_type_that_only_the_deployment_knows_are_not_held_against_each_other(
    ground: Ground,
) -> None:
    assert released(ground, image=foreign(ground), instance_type="ml.p3.2xlarge")
    released_later = CfnParameter(ground.stack, "Type").value_as_string
    assert ReleasedEndpoint(
        ground.stack,
        "Later",
        endpoint_name="dev-later",
        artifacts=ground.artifacts,
        key=ground.key,
        instance_type=released_later,
    )


def key_actions(stack: Stack) -> dict[str, set[str]]:
    """What the models' role may do with each key."""
    (policy,) = [
        one["Properties"]["PolicyDocument"]["Statement"]
        for id_, one in Template.from_stack(stack).find_resources("AWS::IAM::ManagedPolicy").items()
        if "ModelRole" in id_
    ]
    found: dict[str, set[str]] = {}
    for one in policy:
        actions = [one["Action"]] if isinstance(one["Action"], str) else one["Action"]
        if actions[0].startswith("kms:"):
            found.setdefault(one["Resource"]["Fn::GetAtt"][0], set()).update(actions)
    assert len({json.dumps(one, sort_keys=True) for one in policy}) == len(policy), "a statement twice"
    return found


def test_the_models_may_use_the_key_whatever_their_bucket_tells_of_it(ground: Ground) -> None:
    named = s3.Bucket.from_bucket_name(ground.stack, "Named", "artifacts")
    ReleasedEndpoint(
        ground.stack, "Endpoint", endpoint_name="dev-churn", artifacts=named, key=ground.key, capture=DataCapture()
    )

    (actions,) = key_actions(ground.stack).values()
    assert {"kms:Decrypt", "kms:GenerateDataKey"} <= actions


def test_models_that_capture_nothing_only_decrypt(ground: Ground) -> None:
    released(ground)

    assert [*key_actions(ground.stack).values()] == [{"kms:Decrypt", "kms:DescribeKey"}]


def test_what_is_captured_is_encrypted_with_the_key_that_was_handed_in_and_not_the_buckets(ground: Ground) -> None:
    other = kms.Key(ground.stack, "Other")
    ReleasedEndpoint(
        ground.stack,
        "Endpoint",
        endpoint_name="dev-churn",
        artifacts=ground.artifacts,
        key=other,
        capture=DataCapture(),
    )

    of_each = key_actions(ground.stack)
    assert len(of_each) == 2
    assert "kms:GenerateDataKey" in of_each[ground.stack.get_logical_id(other.node.default_child)]


def test_the_models_write_no_capture_of_an_endpoint_whose_name_begins_with_theirs(ground: Ground) -> None:
    made = released(ground, endpoint_name="churn", capture=DataCapture())

    written = json.dumps(Template.from_stack(ground.stack).find_resources("AWS::IAM::ManagedPolicy"))
    assert "/capture/churn/*" in written
    assert "/capture/churn*" not in written
    assert made.specification.capture_uri is not None
    assert made.specification.capture_uri.endswith("/capture/churn")


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

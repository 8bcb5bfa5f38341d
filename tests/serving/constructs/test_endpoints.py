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
from mlplatform_cdk.serving import DataCapture, Endpoint, ReleasedEndpoint, ScalingRange
from tests.serving.constructs.conftest import Ground


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

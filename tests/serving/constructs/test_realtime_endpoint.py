"""What does the template hold of an endpoint that it owns, and what does it refuse?"""

import json
from typing import Any

import pytest
from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk.assertions import Match, Template
from botocore import validate
from botocore.loaders import Loader
from botocore.model import ServiceModel

from mlplatform_cdk.core import ConfigurationError, PlatformImage
from mlplatform_cdk.foundation import JobNetwork
from mlplatform_cdk.runtimekit.scalable_targets import OWNER_TAG
from mlplatform_cdk.serving import (
    DataCapture,
    DeploymentGuardrails,
    EndpointModel,
    EndpointVariant,
    Processor,
    RealtimeEndpoint,
    ScalingRange,
    ServingImage,
)
from mlplatform_cdk.serving.inference_ami import CUDA_13
from tests.serving.constructs.conftest import Ground

MODEL = EndpointModel.from_archive("runs/1/model.tar.gz")
PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/3"
FIXED = ScalingRange(minimum=2, maximum=2)
ON_ALL = JobNetwork(subnet_ids=("subnet-1",), security_group_ids=("sg-1",))


def endpoint(ground: Ground, *variants: EndpointVariant, **arguments: Any) -> RealtimeEndpoint:
    named = {"endpoint_name": "dev-churn", **arguments}
    fleets = variants or (EndpointVariant(model=MODEL),)
    return RealtimeEndpoint(
        ground.stack, "Endpoint", variants=fleets, artifacts=ground.artifacts, key=ground.key, **named
    )


def only(ground: Ground, kind: str) -> dict[str, Any]:
    (found,) = Template.from_stack(ground.stack).find_resources(kind).values()
    return dict(found)


def test_scaling_stays_its_own_when_the_endpoint_gets_another_name(ground: Ground) -> None:
    endpoint(ground)

    template = Template.from_stack(ground.stack)
    (owner,) = {
        one["Properties"]["Environment"]["Variables"]["SCALING_OWNER"]
        for one in template.find_resources("AWS::Lambda::Function").values()
        if "SCALING_OWNER" in json.dumps(one)
    }
    assert owner.startswith(f"{ground.stack.stack_name}/")
    assert "dev-churn" not in owner
    (taking_out,) = [
        statement["Condition"]["StringEquals"]
        for one in template.find_resources("AWS::IAM::ManagedPolicy").values()
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "application-autoscaling:DeregisterScalableTarget"
    ]
    assert taking_out[f"aws:ResourceTag/{OWNER_TAG}"] == owner


def test_cloudformation_names_what_it_replaces_and_the_endpoint_keeps_its_name(ground: Ground) -> None:
    endpoint(ground)

    assert "ModelName" not in only(ground, "AWS::SageMaker::Model")["Properties"]
    assert "EndpointConfigName" not in only(ground, "AWS::SageMaker::EndpointConfig")["Properties"]
    assert only(ground, "AWS::SageMaker::Endpoint")["Properties"]["EndpointName"] == "dev-churn"


def test_an_update_keeps_what_scaling_had_reached_and_the_template_rules_the_rest(ground: Ground) -> None:
    endpoint(ground)

    properties = only(ground, "AWS::SageMaker::Endpoint")["Properties"]
    assert properties["RetainAllVariantProperties"] is True
    assert properties["ExcludeRetainedVariantProperties"] == [
        {"VariantPropertyType": "DesiredWeight"},
        {"VariantPropertyType": "DataCaptureConfig"},
    ]


def test_scaling_is_looked_after_before_and_after_each_update(ground: Ground) -> None:
    endpoint(ground)

    template = Template.from_stack(ground.stack)
    (resource,) = template.find_resources("AWS::SageMaker::Endpoint")
    ((before, _),) = template.find_resources(
        "Custom::EndpointFleet", {"Properties": {"Phase": "Before", "EndpointConfigName": Match.absent()}}
    ).items()
    template.has_resource("AWS::SageMaker::Endpoint", {"DependsOn": [before]})
    template.has_resource(
        "Custom::EndpointFleet",
        {"DependsOn": [resource], "Properties": {"Phase": "After", "EndpointConfigName": Match.any_value()}},
    )


@pytest.mark.parametrize(
    "guardrails",
    [
        DeploymentGuardrails.all_at_once(),
        DeploymentGuardrails.canary(50),
        DeploymentGuardrails.linear(instances=1),
        DeploymentGuardrails.rolling(50, back_by=100),
    ],
    ids=lambda one: one.kind,
)
def test_the_guardrails_are_what_sagemaker_takes(ground: Ground, guardrails: DeploymentGuardrails) -> None:
    made = endpoint(ground, EndpointVariant(model=MODEL, scaling=FIXED), guardrails=guardrails)
    alarm = cloudwatch.Alarm.from_alarm_arn(ground.stack, "A", "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:errors")
    made.roll_back_on(alarm)

    given = only(ground, "AWS::SageMaker::Endpoint")["Properties"]["DeploymentConfig"]
    assert given["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "errors"}]}
    model = ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")
    report = validate.ParamValidator().validate(given, model.shape_for("DeploymentConfig"))
    assert not report.has_errors(), report.generate_report()


def test_an_eleventh_alarm_is_refused(ground: Ground) -> None:
    alarms = [
        cloudwatch.Alarm.from_alarm_arn(ground.stack, f"A{n}", f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{n}")
        for n in range(11)
    ]

    with pytest.raises(ConfigurationError, match=r"\[Serving/Endpoint\] there may be 10 alarms, got 11"):
        endpoint(ground).roll_back_on(*alarms)


def test_a_model_of_the_registry_is_named_by_its_version(ground: Ground) -> None:
    variant = EndpointVariant(model=EndpointModel.from_package(PACKAGE, environment={"LOG_LEVEL": "DEBUG"}))
    endpoint(ground, variant)

    container = only(ground, "AWS::SageMaker::Model")["Properties"]["PrimaryContainer"]
    assert container == {"ModelPackageName": PACKAGE, "Environment": {"LOG_LEVEL": "DEBUG"}}


def test_each_variant_has_its_model_image_fleet_and_weight(ground: Ground) -> None:
    theirs = PlatformImage.from_uri(ground.stack, "Theirs", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/triton:24")
    made = endpoint(
        ground,
        EndpointVariant(name="a", model=MODEL, weight=9),
        EndpointVariant(name="b", model=EndpointModel.from_archive("runs/2/model.tar.gz", image=theirs), scaling=FIXED),
    )

    variants = only(ground, "AWS::SageMaker::EndpointConfig")["Properties"]["ProductionVariants"]
    assert [(one["VariantName"], one["InitialInstanceCount"], one["InitialVariantWeight"]) for one in variants] == [
        ("a", 1, 9),
        ("b", 2, 1),
    ]
    assert made.variants == ("a", "b")
    template = Template.from_stack(ground.stack)
    template.has_resource_properties(
        "AWS::SageMaker::Model", {"PrimaryContainer": {"Image": Match.string_like_regexp("triton:24")}}
    )
    assert "repository/triton" in json.dumps(template.find_resources("AWS::IAM::ManagedPolicy"))


def test_each_variant_starts_from_the_machine_image_that_its_own_image_needs(ground: Ground) -> None:
    ours = ServingImage(ground.stack, "Gpu", processor=Processor.NVIDIA_GPU)
    theirs = PlatformImage.from_uri(ground.stack, "Theirs", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/triton:24")
    model = EndpointModel.from_archive("runs/2/model.tar.gz", image=theirs)
    older = "al2-ami-sagemaker-inference-gpu-3-1"
    endpoint(
        ground,
        EndpointVariant(name="ours", model=MODEL, instance_type="ml.g5.xlarge"),
        EndpointVariant(name="theirs", model=model, instance_type="ml.g5.xlarge"),
        EndpointVariant(name="chosen", model=model, instance_type="ml.g5.xlarge", inference_ami_version=older),
        image=ours,
    )

    variants = only(ground, "AWS::SageMaker::EndpointConfig")["Properties"]["ProductionVariants"]
    assert [one.get("InferenceAmiVersion") for one in variants] == [CUDA_13, None, older]


def test_captured_requests_are_encrypted_in_the_artifact_store(ground: Ground) -> None:
    endpoint(ground, capture=DataCapture(percentage=5))

    capture = only(ground, "AWS::SageMaker::EndpointConfig")["Properties"]["DataCaptureConfig"]
    assert capture["InitialSamplingPercentage"] == 5
    assert json.dumps(capture["DestinationS3Uri"]).endswith('/capture/dev-churn"]]}')
    assert capture["KmsKeyId"] == ground.stack.resolve(ground.key.key_arn)


def test_models_stand_in_the_network_and_reach_nothing(ground: Ground) -> None:
    endpoint(ground, network=ON_ALL)

    properties = only(ground, "AWS::SageMaker::Model")["Properties"]
    assert properties["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    assert properties["EnableNetworkIsolation"] is True


def test_a_variant_on_instances_that_its_image_does_not_run_on_is_refused(ground: Ground) -> None:
    other = EndpointModel.from_archive(
        "runs/2/model.tar.gz", image=ServingImage(ground.stack, "Arm", processor=Processor.ARM64)
    )
    graviton = EndpointVariant(name="b", model=other, instance_type="ml.c7g.large")

    with pytest.raises(ConfigurationError, match=r"\[Serving/Endpoint\] the image on ml.m5.large must be for .*X86_64"):
        endpoint(ground, graviton, EndpointVariant(name="a", model=other))
    made = RealtimeEndpoint(
        ground.stack,
        "Both",
        endpoint_name="dev-both",
        variants=[graviton, EndpointVariant(name="a", model=MODEL)],
        artifacts=ground.artifacts,
        key=ground.key,
    )
    assert made.variants == ("b", "a")


def test_a_gpu_is_left_alone_where_the_model_says_that_the_cpu_may_serve(ground: Ground) -> None:
    told = EndpointModel.from_archive("runs/1/model.tar.gz", environment={"ALLOW_CPU": "true"})

    endpoint(ground, EndpointVariant(model=told, instance_type="ml.g5.xlarge"))

    (variant,) = only(ground, "AWS::SageMaker::EndpointConfig")["Properties"]["ProductionVariants"]
    assert "InferenceAmiVersion" not in variant  # the CPU's image asks for no driver


@pytest.mark.parametrize(("instance_type", "has_key"), [("ml.m5.large", True), ("ml.m5d.large", False)])
def test_volumes_have_the_key_unless_the_disks_encrypt_themselves(
    ground: Ground, instance_type: str, *, has_key: bool
) -> None:
    endpoint(ground, EndpointVariant(model=MODEL, instance_type=instance_type))

    assert ("KmsKeyId" in only(ground, "AWS::SageMaker::EndpointConfig")["Properties"]) is has_key


def test_the_alarms_of_a_former_name_may_go_with_its_scaling(ground: Ground) -> None:
    """Application auto scaling deletes them in the name of who takes a variant out of scaling."""
    endpoint(ground)

    statements = [
        statement
        for one in Template.from_stack(ground.stack).find_resources("AWS::IAM::ManagedPolicy").values()
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
    ]
    (resource,) = [one["Resource"] for one in statements if one["Action"] == "cloudwatch:DeleteAlarms"]
    assert resource["Fn::Join"][1][-1].endswith(":alarm:TargetTracking-endpoint/*")


def test_no_permission_has_a_wildcard_action(ground: Ground) -> None:
    endpoint(ground, network=ON_ALL, capture=DataCapture())

    for policy in Template.from_stack(ground.stack).find_resources("AWS::IAM::ManagedPolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            assert "*" not in json.dumps(statement["Action"])


A, B = EndpointVariant(name="a", model=MODEL), EndpointVariant(name="b", model=MODEL)


@pytest.mark.parametrize(
    ("variants", "arguments", "sentence"),
    [
        ((A, A), {}, r"each variant must have a name of its own, got a, a"),
        ((*[A] * 11,), {}, r"there must be 1 to 10 variants, got 11"),
        ((EndpointVariant(model=MODEL, weight=0),), {}, r"one variant must have a weight above 0"),
        ((A,), {"endpoint_name": "Churn"}, r"endpoint_name must be 1 to 63 lower-case letters"),
        (
            (A,),
            {"guardrails": DeploymentGuardrails.canary(5)},
            r"a canary of variant a must be a part of its instances",
        ),
        ((A, B), {"guardrails": DeploymentGuardrails.rolling(50)}, r"a rolling update takes one variant, got a, b"),
        (
            (A, EndpointVariant(name="b", model=MODEL, instance_type="ml.g5.xlarge")),
            {},
            r"ml.g5.xlarge encrypts its own disks and takes no key",
        ),
        (
            (EndpointVariant(model=MODEL, instance_type="m5.large"),),
            {},
            r"instance_type must have the form .*try 'ml.m5.large'",
        ),
        ((EndpointVariant(model=MODEL, instance_type="ml.inf1.xlarge"),), {}, r"no guardrails on ml.inf1.xlarge"),
    ],
)
def test_what_sagemaker_would_refuse_is_refused_at_once(
    ground: Ground, variants: tuple[EndpointVariant, ...], arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"\[Serving/Endpoint\] .*{sentence}"):
        endpoint(ground, *variants, **arguments)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: EndpointModel(), "must have an archive or a package_arn"),  # noqa: PLW0108 - is called late
        (lambda: EndpointModel.from_archive("model.tar.gz"), "archive must be the key of a '.tar.gz' under 'runs/'"),
        (lambda: EndpointModel.from_archive("runs/a/"), "archive must be the key of a '.tar.gz' under 'runs/'"),
        (lambda: EndpointModel.from_package("churn/3"), "package_arn must look like"),
        (lambda: EndpointVariant(model=MODEL, name="a_b"), "a variant's name must be 1 to 63"),
        (lambda: EndpointVariant(model=MODEL, name=Aws.REGION), "a variant's name .*, got a token, which only the dep"),
        (lambda: EndpointVariant(model=MODEL, weight=-1), "a variant's weight must be 0 or more"),
    ],
)
def test_a_value_that_means_nothing_is_refused(make: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make()

"""What does AWS build, and under which rules?"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, Environment, Stack, Validations
from aws_cdk import aws_codebuild as codebuild
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import Keys, PlatformStack
from mlplatform_cdk.serving import ImagePipeline, ImageRegistry, Processor, ServingImage
from mlplatform_cdk.serving.image_pipeline import construct
from tests import linting

ROOT = Path(__file__).parents[3]
CONTEXT = json.loads((ROOT / "cdk.json").read_text())["context"]
HOME = Environment(account="123456789012", region="eu-west-1")


def image_stack(app: App, *, copies_to: Sequence[str] = ("us-east-1",), **options: Any) -> Stack:
    stack = PlatformStack(app, "Images", env=HOME)
    registry = ImageRegistry(stack, "Registry", prefix="mlplatform", copies_to=copies_to)
    ImagePipeline(stack, "Serving", registry=registry, name="serving", key=Keys(stack, "Keys").data, **options)
    return stack


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("images") / "cdk.out"
    app = App(context=CONTEXT, outdir=str(output))
    for checks in (AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks):
        Validations.of(app).add_plugins(checks(app))
    image_stack(app)
    try:
        app.synth()
    except RuntimeError as failure:
        if "ValidationFailed" not in str(failure):
            raise
    return output


@pytest.fixture(scope="module")
def resources(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = json.loads((folder / "Images.template.json").read_text())["Resources"]
    return found


def only(resources: Mapping[str, Mapping[str, Any]], type_: str) -> Mapping[str, Any]:
    (found,) = [one["Properties"] for one in resources.values() if one["Type"] == type_]
    return found


def tag_of(**options: Any) -> str:
    resources = App(context=CONTEXT)
    stack = image_stack(resources, **options)
    template = resources.synth().get_stack_by_name(stack.stack_name).template
    return str(only(template["Resources"], "Custom::ServingImage")["Variables"]["TAG"])


def test_no_security_rule_finds_anything(folder: Path) -> None:
    report = json.loads((folder / "validation-report.json").read_text())

    assert [
        f"{violation['ruleName']} at {construct['constructPath']}"
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ] == []


def test_the_template_is_what_cloudformation_takes(folder: Path) -> None:
    assert linting.findings(folder / "Images.template.json") == []


def test_the_repository_scans_encrypts_keeps_tags_and_forgets_old_images(
    resources: Mapping[str, Mapping[str, Any]],
) -> None:
    repository = only(resources, "AWS::ECR::Repository")
    kept = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"][1]["selection"]

    assert repository["RepositoryName"] == "mlplatform/serving"
    assert repository["ImageTagMutability"] == "IMMUTABLE"
    assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert repository["EncryptionConfiguration"]["EncryptionType"] == "KMS"
    assert (kept["countType"], kept["countNumber"]) == ("imageCountMoreThan", 20)


def test_the_repository_stays_but_after_a_first_deployment_that_failed(
    resources: Mapping[str, Mapping[str, Any]],
) -> None:
    (repository,) = [one for one in resources.values() if one["Type"] == "AWS::ECR::Repository"]

    assert (repository["DeletionPolicy"], repository["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert repository["Properties"]["EmptyOnDelete"] is True


def test_another_stack_imports_nothing_that_changes_with_the_image() -> None:
    exported, uris = [], []
    for user in ("0:0", "10001:10001"):
        app = App(context=CONTEXT)
        images = image_stack(app, user=user)
        image = images.node.find_child("Serving")
        assert isinstance(image, ImagePipeline)
        CfnOutput(Stack(app, "Endpoint", env=HOME), "Uri", value=image.image_uri)
        assembly = app.synth()
        exported.append(assembly.get_stack_by_name("Images").template["Outputs"])
        uris.append(assembly.get_stack_by_name("Endpoint").template["Outputs"]["Uri"]["Value"])

    assert [one["Value"]["Fn::GetAtt"][1] for one in exported[0].values()] == ["Repository"]
    assert exported[0] == exported[1]
    assert uris[0] != uris[1]


def test_the_endpoint_of_the_example_may_pull_the_image_of_its_models(tmp_path: Path) -> None:
    environment = os.environ | {"CDK_OUTDIR": str(tmp_path / "cdk.out"), "PYTHONPATH": str(ROOT)}
    program = [sys.executable, str(ROOT / "examples" / "image_pipeline.py")]
    subprocess.run(program, cwd=tmp_path, env=environment, check=True, capture_output=True)
    made = json.loads((tmp_path / "cdk.out" / "Churn.template.json").read_text())["Resources"]
    (repository,) = [id_ for id_, one in made.items() if one["Type"] == "AWS::ECR::Repository"]

    for role in ("EndpointModelRole", "ReleaseStepsRole", "RetrainingRegisterRole"):
        (policy,) = [one for id_, one in made.items() if id_.startswith(f"{role}Permissions")]
        statements = policy["Properties"]["PolicyDocument"]["Statement"]
        (found,) = [one["Resource"] for one in statements if "ecr:BatchGetImage" in one["Action"]]
        assert found == {"Fn::GetAtt": [repository, "Arn"]}, role


def test_what_is_pushed_is_signed_and_copied(resources: Mapping[str, Mapping[str, Any]]) -> None:
    (signing,) = only(resources, "AWS::ECR::SigningConfiguration")["Rules"]
    (copies,) = only(resources, "AWS::ECR::ReplicationConfiguration")["ReplicationConfiguration"]["Rules"]
    arrivals = only(resources, "AWS::ECR::RepositoryCreationTemplate")

    assert only(resources, "AWS::Signer::SigningProfile")["PlatformId"] == "Notation-OCI-SHA384-ECDSA"
    assert signing["RepositoryFilters"] == [{"Filter": "mlplatform/*", "FilterType": "WILDCARD_MATCH"}]
    assert copies["Destinations"] == [{"Region": "us-east-1", "RegistryId": "123456789012"}]
    assert copies["RepositoryFilters"] == [{"Filter": "mlplatform/", "FilterType": "PREFIX_MATCH"}]
    assert arrivals["AppliedFor"] == ["REPLICATION"]
    assert arrivals["ImageTagMutability"] == "IMMUTABLE"


def test_the_build_may_push_to_its_repository_read_its_context_and_sign_and_nothing_more(
    resources: Mapping[str, Mapping[str, Any]],
) -> None:
    (statements,) = [
        one["Properties"]["PolicyDocument"]["Statement"]
        for id_, one in resources.items()
        if one["Type"] == "AWS::IAM::ManagedPolicy" and "RolePermissions" in id_ and "Function" not in id_
    ]
    actions = {
        action
        for one in statements
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }

    assert "signer:SignPayload" in actions
    assert {action.split(":")[0] for action in actions} == {"ecr", "logs", "s3", "signer"}
    assert {action for action in actions if action.startswith("s3:")} == {"s3:GetObject"}
    assert not [action for action in actions if "*" in action]


def test_the_tag_is_the_content_so_that_nothing_is_built_twice() -> None:
    assert tag_of() == tag_of()
    others = ({"processor": Processor.ARM64}, {"user": "10001:10001"}, {"base_image": "b@sha256:1"}, {"openvino": True})
    assert len({tag_of(), *(tag_of(**one) for one in others)}) == 1 + len(others)


def test_a_new_region_gets_the_image_too_since_ecr_copies_only_what_is_pushed_from_then_on() -> None:
    assert tag_of(copies_to=["us-east-1"]) != tag_of(copies_to=["us-east-1", "us-west-2"])
    assert tag_of(copies_to=["us-west-2", "us-east-1"]) == tag_of(copies_to=["us-east-1", "us-west-2"])


def test_another_way_of_building_is_another_image(monkeypatch: pytest.MonkeyPatch) -> None:
    former = tag_of()

    monkeypatch.setattr(construct, "build_spec", lambda: {"version": "0.2"})
    other_steps = tag_of()
    monkeypatch.undo()
    monkeypatch.setattr(construct, "_ON_X86", codebuild.LinuxBuildImage.AMAZON_LINUX_2_5)

    assert len({former, other_steps, tag_of()}) == 3


def test_the_function_may_ask_whether_the_image_is_signed(resources: Mapping[str, Mapping[str, Any]]) -> None:
    (repository,) = [id_ for id_, one in resources.items() if one["Type"] == "AWS::ECR::Repository"]
    asked = [
        statement["Resource"]
        for one in resources.values()
        if one["Type"] in {"AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"}
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "ecr:DescribeImageSigningStatus"
    ]

    assert asked == [{"Fn::GetAtt": [repository, "Arn"]}]


def test_arm_is_built_on_arm_and_gpus_have_their_own_recipe_on_a_larger_machine() -> None:
    app = App(context=CONTEXT)
    stack = image_stack(app, processor=Processor.ARM64)
    arm = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
    app = App(context=CONTEXT)
    stack = image_stack(app, processor=Processor.NVIDIA_GPU)
    gpu = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]

    assert only(arm, "AWS::CodeBuild::Project")["Environment"]["Type"] == "ARM_CONTAINER"
    assert only(arm, "Custom::ServingImage")["Variables"]["PLATFORM"] == "linux/arm64"
    assert only(gpu, "Custom::ServingImage")["Variables"]["DOCKERFILE"].endswith("/Dockerfile.gpu")
    assert only(gpu, "AWS::CodeBuild::Project")["Environment"]["ComputeType"] == "BUILD_GENERAL1_LARGE"


def test_an_image_for_gpus_cannot_have_openvino() -> None:
    with pytest.raises(ConfigurationError, match="the image Serving must be for CPUs to have OpenVINO"):
        image_stack(App(context=CONTEXT), processor=Processor.NVIDIA_GPU, openvino=True)


def test_only_the_images_for_cpus_say_that_they_serve_many_models() -> None:
    """On GPUs SageMaker has that for Triton alone; https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html."""
    context = ROOT / "src" / "mlplatform_cdk" / "serving" / "container"
    said = {one.value: "multi-models=true" in (context / one.dockerfile).read_text() for one in Processor}

    assert said == {"x86_64": True, "arm64": True, "nvidia-gpu": False}


@pytest.mark.parametrize("kept", [0, -1, 2.5])
def test_a_repository_that_keeps_no_image_is_refused_as_by_ecr(kept: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"kept_images must be a whole number of at least 1, got {kept};"):
        image_stack(App(context=CONTEXT), kept_images=kept)


@pytest.mark.parametrize("user", ["", " ", "1:2:3"])
def test_an_image_that_nobody_runs_is_refused(user: str) -> None:
    with pytest.raises(ConfigurationError, match="the user of the image Serving must have the form '<uid>:<gid>', got"):
        image_stack(App(context=CONTEXT), user=user)
    with pytest.raises(ConfigurationError, match="the user of the image Serving must have the form '<uid>:<gid>', got"):
        ServingImage(Stack(App(), "Images"), "Serving", user=user)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"prefix": "Images"}, "prefix must be 2 to 30 lower-case letters"),
        ({"prefix": "images", "copies_to": ["Ireland"]}, "copies_to must name regions such as"),
        ({"prefix": "images", "copies_to": ["eu-west-1"]}, "copies_to must name other regions"),
        (
            {"prefix": "images", "copies_to": ["us-east-1"] * 2},
            "copies_to must name each region once, got us-east-1, us",
        ),
        ({"prefix": "images", "kept_images": 0}, "kept_images must be a whole number of at least 1, got 0"),
    ],
)
def test_rules_that_ecr_would_refuse_are_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        ImageRegistry(Stack(App(), "Images", env=HOME), "Registry", **options)

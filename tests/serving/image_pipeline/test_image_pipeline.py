"""What does AWS build, and under which rules?"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack, Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import Keys, PlatformStack
from mlplatform_cdk.serving import ImagePipeline, ImageRegistry, Processor
from tests import linting

ROOT = Path(__file__).parents[3]
CONTEXT = json.loads((ROOT / "cdk.json").read_text())["context"]
HOME = Environment(account="123456789012", region="eu-west-1")


def image_stack(app: App, **options: Any) -> Stack:
    stack = PlatformStack(app, "Images", env=HOME)
    registry = ImageRegistry(stack, "Registry", prefix="mlplatform", copies_to=["us-east-1"])
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


def test_arm_is_built_on_arm_and_gpus_have_their_own_recipe() -> None:
    app = App(context=CONTEXT)
    stack = image_stack(app, processor=Processor.ARM64)
    arm = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
    app = App(context=CONTEXT)
    stack = image_stack(app, processor=Processor.NVIDIA_GPU)
    gpu = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]

    assert only(arm, "AWS::CodeBuild::Project")["Environment"]["Type"] == "ARM_CONTAINER"
    assert only(arm, "Custom::ServingImage")["Variables"]["PLATFORM"] == "linux/arm64"
    assert only(gpu, "Custom::ServingImage")["Variables"]["DOCKERFILE"].endswith("/Dockerfile.gpu")


def test_an_image_for_gpus_cannot_have_openvino() -> None:
    with pytest.raises(ConfigurationError, match="the image Serving must be for CPUs to have OpenVINO"):
        image_stack(App(context=CONTEXT), processor=Processor.NVIDIA_GPU, openvino=True)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"prefix": "Images"}, "prefix must be 2 to 30 lower-case letters"),
        ({"prefix": "images", "copies_to": ["Ireland"]}, "copies_to must name regions such as"),
        ({"prefix": "images", "copies_to": ["eu-west-1"]}, "copies_to must name other regions"),
    ],
)
def test_rules_that_ecr_would_refuse_are_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        ImageRegistry(Stack(App(), "Images", env=HOME), "Registry", **options)

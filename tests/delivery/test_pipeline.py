"""What does a delivery pipeline do, and what may it do?"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack, Stage

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.delivery import Build, Delivery, DeliveryPipeline
from tests.delivery.conftest import ABROAD, CONNECTION, HOME, SOURCE, Pipeline, small_stage

GATE = "Staging served a day without an alarm"


def of_type(pipeline: Pipeline, type_: str) -> dict[str, Mapping[str, Any]]:
    return {id_: one["Properties"] for id_, one in pipeline.template["Resources"].items() if one["Type"] == type_}


def stages(pipeline: Pipeline) -> dict[str, list[Mapping[str, Any]]]:
    (found,) = of_type(pipeline, "AWS::CodePipeline::Pipeline").values()
    return {stage["Name"]: stage["Actions"] for stage in found["Stages"]}


def statements(pipeline: Pipeline, *types: str) -> list[tuple[str, Mapping[str, Any]]]:
    return [
        (id_, statement)
        for type_ in types
        for id_, properties in of_type(pipeline, type_).items()
        for statement in properties[{"AWS::KMS::Key": "KeyPolicy"}.get(type_, "PolicyDocument")]["Statement"]
    ]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def build_spec(pipeline: Pipeline, name: str) -> Mapping[str, Any]:
    (found,) = [one for id_, one in of_type(pipeline, "AWS::CodeBuild::Project").items() if name in id_]
    spec: Mapping[str, Any] = json.loads(found["Source"]["BuildSpec"])
    return spec


def test_it_builds_then_updates_itself_then_goes_from_environment_to_environment(pipeline: Pipeline) -> None:
    assert list(stages(pipeline)) == ["Source", "Build", "UpdatePipeline", "Assets", "Dev", "Staging", "Prod"]


def test_it_deploys_the_branch_of_the_connection(pipeline: Pipeline) -> None:
    (action,) = stages(pipeline)["Source"]

    assert action["Configuration"] == {
        "ConnectionArn": CONNECTION,
        "FullRepositoryId": "company/churn",
        "BranchName": "release/2026",
    }


def test_a_person_is_asked_before_a_gated_environment_only(pipeline: Pipeline) -> None:
    asked = {
        name: [action["Configuration"] for action in actions if action["ActionTypeId"]["Category"] == "Approval"]
        for name, actions in stages(pipeline).items()
    }

    people = "arn:aws:sns:us-east-1:111122223333:people"
    assert asked.pop("Prod") == [{"CustomData": GATE, "NotificationArn": people}]
    assert not any(asked.values())
    first = min(stages(pipeline)["Prod"], key=lambda action: action["RunOrder"])
    assert first["ActionTypeId"]["Category"] == "Approval"


def test_a_train_goes_off_when_its_environment_is_deployed_and_the_pipeline_waits_for_it(pipeline: Pipeline) -> None:
    last = max(stages(pipeline)["Dev"], key=lambda action: action["RunOrder"])

    assert (last["ActionTypeId"]["Category"], last["ActionTypeId"]["Provider"]) == ("Invoke", "StepFunctions")
    assert json.dumps(last["Configuration"]["StateMachineArn"]).count(":stateMachine:churn-train") == 1
    assert last["Configuration"]["Input"] == '{"by":"the delivery pipeline"}'
    assert not any(
        action["ActionTypeId"]["Provider"] == "StepFunctions"
        for name in ("Staging", "Prod")
        for action in stages(pipeline)[name]
    )


def test_the_pipeline_may_start_that_train_and_look_at_it_and_no_other(pipeline: Pipeline) -> None:
    found = {
        (action, json.dumps(resource))
        for _, statement in statements(pipeline, "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if action.startswith("states:")
    }

    assert {action for action, _ in found} == {
        "states:DescribeExecution",
        "states:DescribeStateMachine",
        "states:StartExecution",
    }
    assert all(":churn-train" in resource for _, resource in found)


@pytest.mark.parametrize("train", ["", "churn train", "t" * 81])
def test_a_train_that_no_machine_is_named_after_is_refused(train: str) -> None:
    with pytest.raises(ValueError, match="train must be the name of a ReleaseTrain"):
        Delivery(stage=lambda app: Stage(app, "Dev"), train=train)


def test_what_is_deployed_was_tested_synthesized_and_checked(pipeline: Pipeline) -> None:
    phases = build_spec(pipeline, "Synth")["phases"]

    assert phases["build"]["commands"] == [*Build().test, *Build().synth, *Build().check]
    assert phases["install"]["commands"] == [*Build().install]


def test_the_stages_are_byte_for_byte_what_a_deployment_by_hand_would_take(
    pipeline: Pipeline, image: Path, tmp_path: Path
) -> None:
    app = App(outdir=str(tmp_path), context={"aws:cdk:disable-stack-trace": True})
    small_stage("Staging", ABROAD, image)(app)
    app.synth()

    by_hand = {path.name: path.read_text() for path in tmp_path.glob("assembly-Staging/*.template.json")}
    assert by_hand
    assert by_hand == {path.name: path.read_text() for path in pipeline.folder.glob("assembly-Staging/*.template.json")}


def test_two_synths_are_byte_equal(pipeline: Pipeline, synthesize: Callable[[Path], Pipeline], tmp_path: Path) -> None:
    again = synthesize(tmp_path / "elsewhere" / "cdk.out")

    def digests(folder: Path) -> dict[str, str]:
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*")
            if path.is_file() and path.name != "validation-report.json"  # holds the folder's own name
        }

    assert digests(again.folder) == digests(pipeline.folder)


def test_tests_and_synth_run_without_a_permission_in_any_account(pipeline: Pipeline) -> None:
    actions = {
        action
        for id_, statement in statements(pipeline, "AWS::IAM::ManagedPolicy")
        if "SynthRole" in id_
        for action in as_list(statement["Action"])
    }

    assert actions
    assert {action.partition(":")[0] for action in actions} == {"s3", "kms", "logs", "codebuild"}


def test_actions_have_no_wildcard_but_for_the_bucket_that_cdk_makes_abroad(pipeline: Pipeline) -> None:
    types = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::S3::BucketPolicy", "AWS::KMS::Key")
    wide = [
        (id_, action, statement["Resource"])
        for id_, statement in statements(pipeline, *types)
        for action in as_list(statement["Action"])
        if "*" in action and statement["Effect"] == "Allow" and (action, "Key" in id_) != ("kms:*", True)
    ]

    for id_, action, resource in wide:
        assert "PipelineRole" in id_
        abroad = "delivery-support-eu-west" in json.dumps(resource) or (
            action.startswith("kms:") and as_list(resource) == ["*"]
        )
        assert abroad, f"{id_} allows {action} on {resource}"


def test_artifacts_and_logs_are_encrypted_with_a_key_that_rotates(pipeline: Pipeline) -> None:
    (key,) = of_type(pipeline, "AWS::KMS::Key").values()
    buckets = of_type(pipeline, "AWS::S3::Bucket")
    (artifacts,) = [one for id_, one in buckets.items() if "Artifacts" in id_]
    (encryption,) = artifacts["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert key["EnableKeyRotation"] is True
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert all("KmsKeyId" in one for one in of_type(pipeline, "AWS::Logs::LogGroup").values())
    assert all("EncryptionKey" in one for one in of_type(pipeline, "AWS::CodeBuild::Project").values())


def test_accounts_abroad_may_read_the_artifacts_and_never_write_them(pipeline: Pipeline) -> None:
    granted = {
        action
        for id_, statement in statements(pipeline, "AWS::S3::BucketPolicy")
        if "Artifacts" in id_ and statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
    }

    assert not any(action.startswith(("s3:Put", "s3:Delete")) for action in granted)


def test_only_the_build_of_images_is_privileged(pipeline: Pipeline) -> None:
    privileged = [
        id_ for id_, one in of_type(pipeline, "AWS::CodeBuild::Project").items() if one["Environment"]["PrivilegedMode"]
    ]

    assert [("DockerAsset" in id_) for id_ in privileged] == [True]


def test_cfn_lint_finds_nothing(pipeline: Pipeline) -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    templates = map(str, pipeline.folder.glob("*.template.json"))

    result = subprocess.run([lint, *templates], capture_output=True, text=True, check=False)

    assert result.stdout == ""


def test_cdk_nag_finds_nothing_in_four_packs(pipeline: Pipeline) -> None:
    # The stages are the test's own, and plain.
    assert [one for one in pipeline.findings if " at Delivery/" in one or " at cross-region" in one] == []


def test_what_was_accepted_for_cfn_lint_has_its_reason(pipeline: Pipeline) -> None:
    for id_, resource in pipeline.template["Resources"].items():
        accepted = resource.get("Metadata", {}).get("cfn-lint", {"config": {"ignore_checks": []}, "reasons": {}})
        assert set(accepted["config"]["ignore_checks"]) == set(accepted["reasons"]), id_


def make(stack: Stack, **given: Any) -> DeliveryPipeline:
    return DeliveryPipeline(
        stack,
        "Pipeline",
        **{"source": SOURCE, "deliveries": [Delivery(stage=lambda app: Stage(app, "Dev", env=HOME))], **given},
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"deliveries": []}, "[Delivery/Pipeline] deliveries must name at least one environment, got none"),
        (
            {"deliveries": [Delivery(stage=lambda app: Stack(app, "Not"))]},
            "[Delivery/Pipeline] a delivery's stage must return a Stage, got Stack",
        ),
    ],
)
def test_deliveries_that_could_not_be_are_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        make(Stack(App(), "Delivery", env=HOME), **given)

    assert str(error.value) == sentence


def test_a_pipeline_without_a_place_is_refused() -> None:
    with pytest.raises(ConfigurationError) as error:
        make(Stack(App(), "Delivery", env=Environment(region="us-east-1")))

    assert str(error.value) == (
        "[Delivery/Pipeline] the stack of a DeliveryPipeline must have an account and a region, got none; "
        "give it env=Environment(account=…, region=…)"
    )


def test_a_gate_has_to_ask_something() -> None:
    with pytest.raises(ValueError, match="gate must say what a person confirms, got an empty text"):
        Delivery(stage=lambda app: Stage(app, "Dev"), gate=" ")


def test_commands_given_as_one_string_are_refused() -> None:
    with pytest.raises(TypeError, match=r"test must be a tuple of commands, got 'pytest'; write \('pytest',\)"):
        Build(test="pytest")  # type: ignore[arg-type]


def test_a_build_that_synthesizes_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="synth must have at least one command, got none"):
        Build(synth=())

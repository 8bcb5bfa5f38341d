"""What does a retraining pipeline run, on what, and with which permissions?"""

import json

import pytest
from aws_cdk import Duration, Fn
from aws_cdk.assertions import Match

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import JobNetwork
from mlplatform_cdk.training import EvaluationRule, ProcessingResources, TrainingResources
from mlplatform_cdk.training.pipeline.jobs import job_prefix
from tests.contracts.annotations import told
from tests.contracts.asl import needed_actions, problems
from tests.contracts.rendering import granted_actions
from tests.training.conftest import SERVING_IMAGE, Build

NETWORK = JobNetwork(subnet_ids=("subnet-1", "subnet-2"), security_group_ids=("sg-1",))
P4D = TrainingResources(instance_type="ml.p4d.24xlarge", instance_count=2, max_runtime=Duration.days(5))
THEIR_TRAINER = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.8.0-gpu-py312"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({}, id="plain"),
        pytest.param({"network": NETWORK, "network_isolation": False}, id="in a VPC"),
        pytest.param({"training": P4D}, id="several GPU hosts"),
        pytest.param({"training_image_uri": THEIR_TRAINER}, id="AWS's own training image"),
        pytest.param({"training": TrainingResources(instance_type="ml.x99.mega")}, id="a type of tomorrow"),
    ],
)
def test_every_task_is_one_that_aws_would_take(build: Build, arguments: dict[str, object]) -> None:
    assert problems(build(**arguments).definition) == []


def test_training_uses_only_fields_that_cdk_s_own_task_passes_to_step_functions_integration(build: Build) -> None:
    # A field that the integration does not know ends an execution with States.Runtime, which no Catch sees. These are
    # the fields that aws_stepfunctions_tasks.SageMakerCreateTrainingJob sets.
    known = {
        "AlgorithmSpecification",
        "EnableNetworkIsolation",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
        "OutputDataConfig",
        "ResourceConfig",
        "RoleArn",
        "StoppingCondition",
        "Tags",
        "TrainingJobName",
        "VpcConfig",
    }

    parameters = build(network=NETWORK).state("Train")["Parameters"]

    assert {name.removesuffix(".$") for name in parameters} <= known


def test_the_state_machines_role_may_make_exactly_the_calls_of_its_states(build: Build) -> None:
    built = build()
    needed = needed_actions(built.definition)
    granted = granted_actions(built.template.to_json(), built.machine)

    others = granted - needed
    assert needed <= granted
    assert {action for action in others if not action.startswith(("logs:", "xray:", "kms:"))} == {
        "s3:GetObjectVersion",
        "s3:GetBucketLocation",
        "s3:ListBucket",
        "sagemaker:AddTags",
        "sagemaker:ListTags",
    }


def test_no_policy_has_a_wildcard_action_or_outgrows_its_limit(build: Build) -> None:
    for policy in build(network=NETWORK).template.find_resources("AWS::IAM::ManagedPolicy").values():
        document = policy["Properties"]["PolicyDocument"]
        assert not [one for one in document["Statement"] if "*" in json.dumps(one["Action"])]
        assert len(json.dumps(document, separators=(",", ":"))) < 6144


def test_a_role_is_passed_to_sagemaker_only(build: Build) -> None:
    statement = {
        "Action": "iam:PassRole",
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    }
    build().template.has_resource_properties(
        "AWS::IAM::ManagedPolicy", {"PolicyDocument": {"Statement": Match.array_with([Match.object_like(statement)])}}
    )


@pytest.mark.parametrize(
    ("instance_type", "has_key"),
    [("ml.m5.xlarge", True), ("ml.g4dn.xlarge", False), ("ml.p4d.24xlarge", False), ("ml.p3.2xlarge", True)],
)
def test_a_volume_has_the_key_unless_the_instance_encrypts_its_own_disks(
    build: Build, instance_type: str, *, has_key: bool
) -> None:
    built = build(
        training=TrainingResources(instance_type=instance_type),
        processing=ProcessingResources(instance_type=instance_type),
    )

    volumes = [
        built.state("Train")["Parameters"]["ResourceConfig"],
        built.state("Preprocess")["Parameters"]["ProcessingResources"]["ClusterConfig"],
    ]
    noted = [text for text in told(built.stack, "info") if "the key is left out" in text]
    assert ["VolumeKmsKeyId" in volume for volume in volumes] == [has_key, has_key]
    assert len(noted) == (0 if has_key else 2)


def test_traffic_between_several_training_hosts_is_encrypted(build: Build) -> None:
    train = build(training=P4D).state("Train")["Parameters"]

    assert train["EnableInterContainerTrafficEncryption"] is True
    assert train["ResourceConfig"]["InstanceCount"] == 2
    assert train["StoppingCondition"] == {"MaxRuntimeInSeconds": 5 * 86400}


def test_jobs_reach_no_network_unless_asked_and_stand_in_the_vpc_given(build: Build) -> None:
    plain, inside = build(), build(network=NETWORK, network_isolation=False)

    assert plain.state("Train")["Parameters"]["EnableNetworkIsolation"] is True
    assert "VpcConfig" not in plain.state("Train")["Parameters"]
    assert inside.state("Evaluate")["Parameters"]["NetworkConfig"] == {
        "EnableNetworkIsolation": False,
        "VpcConfig": {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
    }


def test_a_training_image_of_ones_own_trains_and_the_librarys_does_the_rest(build: Build) -> None:
    built = build(training_image_uri=THEIR_TRAINER)

    train, evaluate = built.state("Train")["Parameters"], built.state("Evaluate")["Parameters"]
    assert train["AlgorithmSpecification"]["TrainingImage"] == THEIR_TRAINER
    assert train["Environment"]["CODE_VERSION"] == "2.8.0-gpu-py312"
    assert "container-assets" in evaluate["AppSpecification"]["ImageUri"]
    assert evaluate["AppSpecification"]["ContainerArguments"] == ["evaluate"]


def test_a_jobs_name_and_tags_carry_the_run(build: Build) -> None:
    train = build().state("Train")["Parameters"]

    assert train["TrainingJobName.$"] == "States.Format('churn-{}-train', $.run.id)"
    assert train["Tags"] == [{"Key": "mlplatform:run-id", "Value.$": "$.run.id"}]
    assert train["Environment"]["RUN_ID.$"] == "$.run.id"


def test_evaluation_sees_production_only_where_there_is_one(build: Build) -> None:
    def inputs(state: str) -> list[str]:
        return [one["InputName"] for one in build().state(state)["Parameters"]["ProcessingInputs"]]

    assert inputs("Evaluate") == ["model", "dataset"]
    assert inputs("EvaluateAgainstProduction") == ["model", "dataset", "production"]


def test_evaluation_gets_its_rule(build: Build) -> None:
    rule = EvaluationRule(minimum={"roc_auc": 0.8}, compare_by="accuracy", tolerance=0.01)

    environment = build(evaluation=rule).state("Evaluate")["Parameters"]["Environment"]

    assert environment == {
        "RUN_ID.$": "$.run.id",
        "MINIMUM_METRIC": '{"roc_auc": 0.8}',
        "COMPARE_BY": "accuracy",
        "TOLERANCE": "0.01",
    }


def test_what_a_step_answers_never_replaces_what_the_steps_before_it_left(build: Build) -> None:
    tasks = [state for state in build().definition["States"].values() if state["Type"] == "Task"]

    assert all(task["ResultPath"].startswith("$.") for task in tasks)


def test_whatever_fails_is_explained_told_and_ends_the_run_with_its_step_and_sentence(build: Build) -> None:
    built = build()
    steps = [
        name
        for name, state in built.definition["States"].items()
        if state["Type"] == "Task" and name not in {"Explain", "Notify"}
    ]

    caught = {name: built.state(name)["Catch"][0] for name in steps}
    assert {one["Next"] for one in caught.values()} == {"Explain"}
    assert caught["Train"]["ResultPath"] == "$.failure.Train"
    assert built.state("Explain")["Catch"][0]["Next"] == built.state("Explain")["Next"] == "Notify"
    assert built.state("Notify")["Catch"][0]["Next"] == built.state("Notify")["Next"] == "Failed"
    assert built.state("Failed") == {
        "Type": "Fail",
        "ErrorPath": "$.explanation.Error",
        "CausePath": "$.explanation.Cause",
    }


def test_runs_are_logged_in_full_encrypted_and_traced(build: Build) -> None:
    build().template.has_resource_properties(
        "AWS::StepFunctions::StateMachine",
        {
            "LoggingConfiguration": {"Level": "ALL", "IncludeExecutionData": True},
            "TracingConfiguration": {"Enabled": True},
        },
    )
    groups = build().template.find_resources("AWS::Logs::LogGroup")
    assert groups
    assert all("KmsKeyId" in group["Properties"] for group in groups.values())


def test_the_registry_learns_what_serves_the_model(build: Build) -> None:
    build().template.has_resource_properties(
        "AWS::Lambda::Function",
        {"Environment": {"Variables": Match.object_like({"INFERENCE_IMAGE": SERVING_IMAGE})}},
    )


def test_arrivals_wait_for_the_quiet_period_and_come_back_while_a_run_is_in_progress(build: Build) -> None:
    template = build(quiet_period=Duration.seconds(30)).template

    template.has_resource_properties("AWS::SQS::Queue", {"DelaySeconds": 30, "VisibilityTimeout": 360})
    template.has_resource_properties(
        "AWS::Lambda::EventSourceMapping", {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
    )


def test_another_partition_has_its_own_integrations_and_arns(build: Build) -> None:
    built = build(region="us-gov-west-1")

    assert '":states:::' in json.dumps(built.template.to_json()).replace("\\", "")
    assert "arn:aws:" not in json.dumps(built.template.to_json())


def test_an_instance_type_without_ml_is_refused(build: Build) -> None:
    with pytest.raises(ConfigurationError, match=r"\[Training/Churn\] training\.instance_type .* try 'ml\.g5\.xlarge'"):
        build(training=TrainingResources(instance_type="g5.xlarge"))


@pytest.mark.parametrize("name", ["", "Churn", "o'brien", "a{b}", "m" * 64])
def test_a_name_that_would_break_texts_keys_or_subjects_is_refused(build: Build, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"\[Training/Churn\] model_name must be 1 to 63 lower-case letters"):
        build(model_name=name)


def test_a_quiet_period_longer_than_a_queue_can_wait_is_refused(build: Build) -> None:
    with pytest.raises(ConfigurationError, match="quiet_period must be at most 15 minutes, got 1 hour"):
        build(quiet_period=Duration.hours(1))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: TrainingResources(instance_count=0), "instance_count must be at least 1, got 0"),
        (lambda: TrainingResources(volume_gib=0), "volume_gib must be from 1 to 16384, got 0"),
        (lambda: ProcessingResources(max_runtime=Duration.days(10)), "at most 9 days, got 10 days"),
        (
            lambda: EvaluationRule(minimum={"auc": 0.9}),
            "must name any of accuracy, roc_auc, f1, log_loss, got auc",
        ),
        (lambda: EvaluationRule(compare_by="auc"), "got auc"),
        (lambda: EvaluationRule(tolerance=-1), "tolerance must be a number of at least 0, got -1"),
        (lambda: EvaluationRule(minimum={"roc_auc": float("nan")}), "a finite number"),
    ],
)
def test_values_that_could_never_run_are_refused(make: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("model", "prefix"),
    [
        pytest.param("churn", "churn", id="a model"),
        pytest.param("credit-risk-of-small-firms", "credit-risk-of", id="a long one"),
        pytest.param("a-model-that-i-x", "a-model-that-i", id="a cut in a word"),
        pytest.param("thirteen-car-s", "thirteen-car-s", id="just as long as it may be"),
        pytest.param(Fn.ref("Model"), "model", id="one known at deployment only"),
    ],
)
def test_every_jobs_name_fits_with_the_longest_run(model: str, prefix: str) -> None:
    assert job_prefix(model) == prefix
    assert len(f"{prefix}-{'r' * 37}-preprocess") <= 63

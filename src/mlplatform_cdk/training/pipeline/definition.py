"""A run, state by state: what it does, and how it says that it could not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.core import seconds_of
from mlplatform_cdk.core.states import State, caught_as
from mlplatform_cdk.training.evaluation_rule import EvaluationRule
from mlplatform_cdk.training.pipeline.jobs import JobSettings, processing_job, training_job, under_run
from mlplatform_cdk.training.pipeline.rework import rework_states
from mlplatform_cdk.training.pipeline.tasks import EXPLAIN, NOTIFY, Tasks
from mlplatform_cdk.training.resources import ProcessingResources, TrainingResources
from mlplatform_cdk.training.reworking import EngineCompilation, Quantization

_QUICK_S = 120
_GATE_S = 960  # a minute more than Lambda's longest
_CAPACITY_S = 7200  # how long a job may wait for its instances, besides its own time


@dataclass(frozen=True, slots=True, kw_only=True)
class Functions:
    """The ARNs of the functions that a run calls."""

    request: str
    quality: str
    find_production: str
    register: str
    explain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that tells one pipeline's states from another's."""

    tasks: Tasks
    functions: Functions
    jobs: JobSettings
    job_image_uri: str
    training_image_uri: str
    training: TrainingResources
    processing: ProcessingResources
    evaluation: EvaluationRule
    training_environment: Mapping[str, str]
    label_column: str
    artifacts_bucket: str
    model_name: str
    topic_arn: str
    inference_image_uri: str
    quantization: Quantization | None
    compilation: EngineCompilation | None


def definition(plan: Plan) -> dict[str, Any]:
    """The state machine as Amazon States Language."""
    return {
        "Comment": f"Retrains {plan.model_name}: gate, preprocess, train, evaluate, register",
        "StartAt": "Begin",
        "States": {**_data_states(plan), **_model_states(plan), **_verdict_states(plan), **_failure_states(plan)},
    }


def _data_states(plan: Plan) -> dict[str, State]:
    """From the start to a data set that can be learned from."""
    uri = f"States.Format('s3://{plan.artifacts_bucket}/runs/{{}}/', $$.Execution.Name)"
    return {
        "Begin": {
            "Type": "Pass",
            "Parameters": {
                "run": {"id.$": "$$.Execution.Name", "uri.$": uri},
                "input.$": "$$.Execution.Input",
            },
            "Next": "ReadRequest",
        },
        "ReadRequest": plan.tasks.function(
            "ReadRequest",
            plan.functions.request,
            payload={"run_id.$": "$.run.id", "input.$": "$.input"},
            answers=("dataset_uri", "hyperparameters"),
            timeout_s=_QUICK_S,
            into="$.request",
        )
        | {"Next": "QualityGate"},
        "QualityGate": plan.tasks.function(
            "QualityGate",
            plan.functions.quality,
            payload={"run_id.$": "$.run.id", "run_uri.$": "$.run.uri", "dataset_uri.$": "$.request.dataset_uri"},
            answers=("dataset_version", "rows", "profile_uri"),
            timeout_s=_GATE_S,
            into="$.data",
        )
        | {"Next": "Preprocess"},
        "Preprocess": _processing(
            plan,
            "Preprocess",
            inputs={"raw": "$.request.dataset_uri"},
            output="dataset",
            environment={"LABEL_COLUMN": plan.label_column, "DATASET_VERSION.$": "$.data.dataset_version"},
        )
        | {"Next": "Train"},
    }


def _model_states(plan: Plan) -> dict[str, State]:
    """From the data set to a model beside the one in production."""
    train = plan.tasks.job(
        "Train",
        "createTrainingJob",
        training_job(
            plan.jobs,
            plan.training,
            image_uri=plan.training_image_uri,
            environment={"MODEL_NAME": plan.model_name, **plan.training_environment},
        ),
        keep={"model_data_url.$": "$.ModelArtifacts.S3ModelArtifacts"},
        timeout_s=seconds_of(plan.training.max_runtime) + _CAPACITY_S,
        into="$.model",
    )
    rework = rework_states(plan, then="FindProduction")
    return {
        "Train": train | {"Next": next(iter(rework), "FindProduction")},
        **rework,
        "FindProduction": plan.tasks.function(
            "FindProduction",
            plan.functions.find_production,
            payload={"run_id.$": "$.run.id"},
            answers=("found", "model_data_url", "model_package_arn"),
            timeout_s=_QUICK_S,
            into="$.production",
        )
        | {"Next": "IsOneInProduction"},
        "IsOneInProduction": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.production.found", "BooleanEquals": True, "Next": "EvaluateAgainstProduction"}],
            "Default": "Evaluate",
        },
        "Evaluate": _evaluation(plan, {}),
        "EvaluateAgainstProduction": _evaluation(plan, {"production": "$.production.model_data_url"}),
    }


def _verdict_states(plan: Plan) -> dict[str, State]:
    """From evaluation's verdict to a registered model, or to a refusal."""
    read = plan.tasks.call(
        "ReadVerdict",
        "aws-sdk:s3:getObject",
        {
            "Bucket": plan.artifacts_bucket,
            "Key.$": "States.Format('runs/{}/evaluation/evaluation.json', $.run.id)",
        },
    )
    return {
        "ReadVerdict": read
        | {
            "ResultSelector": {"verdict.$": "States.StringToJson($.Body)"},
            "ResultPath": "$.evaluation",
            "Next": "IsAccepted",
        },
        "IsAccepted": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.evaluation.verdict.accepted", "BooleanEquals": True, "Next": "Register"}],
            "Default": "Refuse",
        },
        "Refuse": {
            "Type": "Pass",
            "Parameters": {"Error": "ModelRefused", "Cause.$": "$.evaluation.verdict.reasons"},
            "ResultPath": "$.failure.ModelRefused",
            "Next": EXPLAIN,
        },
        "Register": plan.tasks.function(
            "Register",
            plan.functions.register,
            payload={
                "run_id.$": "$.run.id",
                "execution_arn.$": "$$.Execution.Id",
                "dataset_uri.$": "$.request.dataset_uri",
                "dataset_version.$": "$.data.dataset_version",
                "profile_uri.$": "$.data.profile_uri",
                "model_data_url.$": "$.model.model_data_url",
                "evaluation_uri.$": under_run("evaluation/evaluation.json"),
            },
            answers=("model_package_arn",),
            timeout_s=_QUICK_S,
            into="$.registration",
        )
        | {"Next": "Registered"},
        "Registered": {"Type": "Succeed"},
    }


def _failure_states(plan: Plan) -> dict[str, State]:
    """Say what failed, to people and in the execution; when even that fails, still end with what is known."""
    explain = plan.tasks.function(
        EXPLAIN,
        plan.functions.explain,
        payload={"run_id.$": "$.run.id", "failure.$": "$.failure"},
        answers=("Error", "Cause"),
        timeout_s=_QUICK_S,
        into="$.explanation",
    )
    said = f"Run {{}} of {plan.model_name} failed at {{}}: {{}} (execution {{}})"
    told = "$.run.id, $.explanation.Error, $.explanation.Cause, $$.Execution.Id"
    notify = plan.tasks.call(
        NOTIFY,
        "sns:publish",
        {
            "TopicArn": plan.topic_arn,
            "Subject": f"Retraining of {plan.model_name} failed",
            "Message.$": f"States.Format('{said}', {told})",
        },
    )
    return {
        EXPLAIN: caught_as(explain, "$.explanation", NOTIFY) | {"Next": NOTIFY},
        NOTIFY: caught_as(notify, "$.notification", "Failed") | {"ResultPath": "$.notification", "Next": "Failed"},
        "Failed": {"Type": "Fail", "ErrorPath": "$.explanation.Error", "CausePath": "$.explanation.Cause"},
    }


def _evaluation(plan: Plan, production: Mapping[str, str]) -> State:
    inputs = {"model": "$.model.model_data_url", "dataset": under_run("dataset/"), **production}
    environment = plan.evaluation.environment()
    task = _processing(plan, "Evaluate", inputs=inputs, output="evaluation", environment=environment)
    return task | {"Next": "ReadVerdict"}


def _processing(
    plan: Plan, name: str, *, inputs: Mapping[str, str], output: str, environment: Mapping[str, str]
) -> State:
    parameters = processing_job(
        plan.jobs,
        plan.processing,
        image_uri=plan.job_image_uri,
        step=name.lower(),
        inputs=inputs,
        output=output,
        environment=environment,
    )
    timeout = seconds_of(plan.processing.max_runtime) + _CAPACITY_S
    return plan.tasks.job(
        name,
        "createProcessingJob",
        parameters,
        keep={"job_name.$": "$.ProcessingJobName"},
        timeout_s=timeout,
        into=f"$.{output}_job",
    )

"""The pipeline as a user defines it: what to train on, with what, how good it must be, where it is registered."""

import re
from collections.abc import Mapping
from dataclasses import astuple
from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import (
    ConfigurationError,
    PlatformImage,
    advise,
    bucket_name,
    is_known,
    key_arn,
    minutes,
    partition_of,
    require_ml_instance,
    role_arn,
    topic_arn,
)
from mlplatform_cdk.core.job_instances import Job, advise_on_job
from mlplatform_cdk.core.machines import PlatformStateMachine
from mlplatform_cdk.data import Dataset, RetrainingTrigger
from mlplatform_cdk.foundation import JobNetwork, Notifications
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.training.evaluation_rule import EvaluationRule
from mlplatform_cdk.training.job_image import JobImage
from mlplatform_cdk.training.job_role import JobRole
from mlplatform_cdk.training.pipeline.definition import Plan, definition
from mlplatform_cdk.training.pipeline.jobs import JobSettings, job_prefix
from mlplatform_cdk.training.pipeline.permissions import PipelineRole
from mlplatform_cdk.training.pipeline.rework import rework_steps
from mlplatform_cdk.training.pipeline.steps import define_steps
from mlplatform_cdk.training.pipeline.tasks import Tasks
from mlplatform_cdk.training.resources import ProcessingResources, TrainingResources
from mlplatform_cdk.training.reworking import EngineCompilation, Quantization

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

ONE_INSTANCE, ONE_PROCESSOR = TrainingResources(), ProcessingResources()
AS_GOOD_AS_PRODUCTION = EvaluationRule()
LOGISTIC_REGRESSION: Mapping[str, str] = {"algorithm": "logistic-regression"}
A_TENTH_OF_A_SECOND = Duration.millis(100)
FIVE_MINUTES = minutes(5)
# It stands in keys of S3, in texts of the state machine, and in the subject of a message.
_NAME = re.compile(r"[a-z0-9](-*[a-z0-9]){0,62}")


class RetrainingPipeline(Construct):
    """Data arrives, a model is registered: gated, preprocessed, trained, and no worse than the one in production.

    Each run's artifacts lie under ``runs/<run id>/``, the run id being the execution's name. A run that fails or whose
    model is refused ends with the step as its error and one sentence as its cause, and tells ``notifications``.
    Start one by hand with ``{"hyperparameters": {...}, "dataset_uri": "s3://..."}``, both optional.

    :param registry: where an accepted model goes, pending approval.
    :param lake: where the data lies.
    :param artifacts: where runs leave what they made.
    :param dataset: what to train on, and what it must look like.
    :param model_name: names the model over its versions: 1 to 63 lower-case letters, digits and inner hyphens.
    :param inference_image: what serves the model.
    :param key: encrypts volumes, outputs, logs and settings; the key of the lake, the artifacts and notifications.
    :param job_image: runs the library's steps; default: a ``JobImage``.
    :param training_image: trains in place of the library's step, by SageMaker's own training contract; it reads the
        channel ``dataset`` and must leave ``manifest.json`` beside the model; default: the job image.
    :param training: what training runs on; default: one ml.m5.xlarge, up to 4 hours.
    :param processing: what preprocessing and evaluation run on; default: one ml.m5.xlarge, up to 1 hour.
    :param evaluation: how good a model must be; default: no worse than production by ROC AUC.
    :param quantization: makes int8 or fp16 files of each model, within a tolerance, before it is judged; default: none.
    :param compilation: compiles each model with TensorRT on the GPU that will serve it; default: it is not.
    :param hyperparameters: of the training; a run may override them; default: logistic regression.
    :param latency_budget: how long an answer may take, for the model's manifest; default: 100 ms.
    :param network: where the jobs' network interfaces are; default: in no VPC of the account.
    :param network_isolation: may the containers of the jobs reach no network at all; default: yes.
    :param notifications: where failures are told; default: a new topic.
    :param quiet_period: how long nothing more may arrive before a run starts; default: 5 minutes.
    """

    def __init__(  # noqa: PLR0913 - the rooms meet here; each argument but the first six and the key has a default
        self,
        scope: Construct,
        id: str,
        *,
        registry: ModelRegistry,
        lake: s3.IBucket,
        artifacts: s3.IBucket,
        dataset: Dataset,
        model_name: str,
        inference_image: PlatformImage,
        key: kms.IKey,
        job_image: PlatformImage | None = None,
        training_image: PlatformImage | None = None,
        training: TrainingResources = ONE_INSTANCE,
        processing: ProcessingResources = ONE_PROCESSOR,
        evaluation: EvaluationRule = AS_GOOD_AS_PRODUCTION,
        quantization: Quantization | None = None,
        compilation: EngineCompilation | None = None,
        hyperparameters: Mapping[str, str] = LOGISTIC_REGRESSION,
        latency_budget: Duration = A_TENTH_OF_A_SECOND,
        network: JobNetwork | None = None,
        network_isolation: bool = True,
        notifications: sns.ITopic | None = None,
        quiet_period: Duration = FIVE_MINUTES,
    ) -> None:
        super().__init__(scope, id)
        _check_name(self, model_name)
        if compilation is not None:
            _require_tensorrt(self, inference_image)
        _check_instance(self, "training", Job.TRAINING, training.instance_type, hosts=training.instance_count)
        for name, resources in (
            ("processing", processing),
            ("quantization.resources", quantization.resources if quantization else None),
            ("compilation.resources", compilation.resources if compilation else None),
        ):
            if resources is not None:
                _check_instance(self, name, Job.PROCESSING, resources.instance_type)
        self.notifications = notifications or Notifications(self, "Notifications", key=key)
        steps_image = job_image or JobImage(self, "JobImage")
        trainer = training_image or steps_image
        compiler = [inference_image] if compilation else []
        self.job_role = JobRole(
            self,
            "JobRole",
            lake=lake,
            prefix=dataset.prefix,
            artifacts=artifacts,
            key=key,
            images=[*dict.fromkeys((steps_image, trainer, *compiler))],
            network=network,
        )
        self.steps = define_steps(
            self,
            dataset=dataset,
            lake=lake,
            artifacts=artifacts,
            registry=registry,
            model_name=model_name,
            inference_image=inference_image,
            hyperparameters=hyperparameters,
            key=key,
        )
        self.job_prefix = prefix = job_prefix(model_name)
        functions = self.steps.arns()
        plan = Plan(
            tasks=Tasks(partition_of(self)),
            functions=functions,
            jobs=JobSettings(
                role_arn=role_arn(self.job_role),
                key_arn=key_arn(key),
                network=network,
                isolated=network_isolation,
                prefix=prefix,
            ),
            job_image_uri=steps_image.image_uri,
            training_image_uri=trainer.image_uri,
            training=training,
            processing=processing,
            evaluation=evaluation,
            training_environment={
                "CODE_VERSION": trainer.version,
                "LATENCY_BUDGET_MS": str(latency_budget.to_milliseconds()),
            },
            label_column=dataset.label_column,
            artifacts_bucket=bucket_name(artifacts),
            model_name=model_name,
            topic_arn=topic_arn(self.notifications),
            inference_image_uri=inference_image.image_uri,
            quantization=quantization,
            compilation=compilation,
        )
        role = PipelineRole(
            self,
            "MachineRole",
            function_arns=astuple(functions),
            job_prefix=prefix,
            job_role=self.job_role,
            artifacts=artifacts,
            topic=self.notifications,
            key=key,
            more_steps=rework_steps(plan),
        )
        self.state_machine = PlatformStateMachine(
            self, "Machine", definition=definition(plan), role=role, comment=f"Retrains {model_name}", key=key
        )
        self.trigger = RetrainingTrigger(
            self,
            "Trigger",
            dataset=dataset,
            lake=lake,
            pipeline=self.state_machine,
            quiet_period=quiet_period,
            key=key,
        )

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` start runs by hand, and nothing more."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["states:StartExecution"], resource_arns=[self.state_machine.state_machine_arn]
        )

    def metric_failed(self, *, statistic: str = "sum") -> "cloudwatch.Metric":
        """Runs that failed or whose model was refused; anything else through ``.with_(...)``."""
        return self.state_machine.metric_failed(statistic=statistic)


def _check_instance(scope: Construct, resources: str, job: Job, instance_type: str, *, hosts: int = 1) -> None:
    argument = f"{resources}.instance_type"
    require_ml_instance(scope, argument, instance_type)
    advise(scope, argument, instance_type, hosts=hosts)
    advise_on_job(scope, argument, job, instance_type)


def _require_tensorrt(scope: Construct, image: PlatformImage) -> None:
    if image.without_tensorrt:
        raise ConfigurationError(
            scope, f"compilation must have an inference_image with TensorRT, got {image.without_tensorrt}"
        )


def _check_name(scope: Construct, name: str) -> None:
    if is_known(name) and not _NAME.fullmatch(name):
        raise ConfigurationError(
            scope, f"model_name must be 1 to 63 lower-case letters, digits and inner hyphens, got {name!r}; try 'churn'"
        )

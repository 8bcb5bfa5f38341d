"""The pipeline that deploys the app's stages one after another, and first of all itself."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy, Stack, Stage, pipelines
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import (
    BuildRole,
    ConfigurationError,
    PlatformRole,
    acknowledge_wildcards,
    arn_of,
    is_known,
)
from mlplatform_cdk.delivery.artifacts import ArtifactBucket, ArtifactKey, acknowledge_replicas
from mlplatform_cdk.delivery.findings import acknowledge_pipeline
from mlplatform_cdk.delivery.source import ConnectionSource
from mlplatform_cdk.delivery.steps import Build, Delivery
from mlplatform_cdk.delivery.train import TrainStep
from mlplatform_cdk.foundation import AccessLogs

_IMAGE = codebuild.LinuxBuildImage.STANDARD_7_0
# https://docs.aws.amazon.com/codebuild/latest/userguide/available-runtimes.html
_RUNTIMES = {"python": "3.12", "nodejs": "22"}
_DEFAULT_BUILD = Build()


class DeliveryPipeline(Construct):
    """Each push is built, tested, checked and deployed to one environment after another, gate by gate.

    The pipeline is CDK Pipelines': it updates itself before anything else, so a new environment, gate or check comes
    with the commit that asks for it. Every account has to be bootstrapped once, trusting the pipeline's account:
    ``cdk bootstrap --trust <pipeline's account> aws://<account>/<region>``.

    :param source: the branch that it deploys.
    :param deliveries: the environments, in this order.
    :param build: the commands that test, synthesize and check; default: those of an app of ``mlplatform init``.
    :param notifications: hears that a gate is waiting; default: nobody does.
    :param removal_policy: what happens to artifacts and their key when the stack goes; default: they go, since every
        commit makes its own anew.

    Everything not offered here: ``pipeline.node.default_child`` is the CfnPipeline.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        source: ConnectionSource,
        deliveries: Sequence[Delivery],
        build: Build = _DEFAULT_BUILD,
        notifications: sns.ITopic | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.DESTROY,
    ) -> None:
        super().__init__(scope, id)
        _require_place(self)
        if not deliveries:
            raise ConfigurationError(self, "deliveries must name at least one environment, got none")
        self._key = ArtifactKey(self, "Key", removal_policy=removal_policy)
        self.artifacts = self._define_artifacts(removal_policy)
        self.synth_role = BuildRole(self, "SynthRole", description="Tests, synthesizes and checks the app")
        self.role = self._define_role(source)
        engine = self._define_engine(source, build)
        for delivery in deliveries:
            stage = _make_stage(self, delivery)
            engine.add_stage(stage, pre=_gates(stage, delivery, notifications), post=_trains(stage, delivery))
        engine.build_pipeline()
        self.pipeline: codepipeline.Pipeline = engine.pipeline
        acknowledge_pipeline(engine, self.artifacts, [self.role, self.synth_role])
        trains = [arn_of(self, "states", f"execution:{one.train}:*") for one in deliveries if one.train]
        acknowledge_wildcards(self.role, dict.fromkeys(trains, "the executions of one train, which pushes start"))

    def _define_role(self, source: ConnectionSource) -> PlatformRole:
        role = PlatformRole(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("codepipeline.amazonaws.com"),
            description="Runs the steps of the delivery pipeline",
        )
        # CDK grants the action by its old prefix only, while AWS asks for the prefix of the connection's ARN.
        role.add_to_policy(
            iam.PolicyStatement(actions=["codeconnections:UseConnection"], resources=[source.connection_arn])
        )
        return role

    def _define_artifacts(self, removal_policy: RemovalPolicy) -> ArtifactBucket:
        access_logs = AccessLogs(self, "AccessLogs", removal_policy=removal_policy)
        bucket = ArtifactBucket(
            self, "Artifacts", key=self._key, access_logs=access_logs, removal_policy=removal_policy
        )
        acknowledge_replicas(bucket)
        return bucket

    def _define_engine(self, source: ConnectionSource, build: Build) -> pipelines.CodePipeline:
        return pipelines.CodePipeline(
            self,
            "Pipeline",
            synth=self._define_synth(source, build),
            role=self.role,
            artifact_bucket=self.artifacts,
            pipeline_type=codepipeline.PipelineType.V2,
            execution_mode=codepipeline.ExecutionMode.SUPERSEDED,
            use_pipeline_role_for_actions=True,
            publish_assets_in_parallel=False,
            # For the buckets that CDK Pipelines makes in other regions.
            cross_account_keys=True,
            enable_key_rotation=True,
            cdk_assets_cli_version="4",
            code_build_defaults=self._define_defaults(),
        )

    def _define_synth(self, source: ConnectionSource, build: Build) -> pipelines.CodeBuildStep:
        return pipelines.CodeBuildStep(
            "Synth",
            input=pipelines.CodePipelineSource.connection(
                f"{source.owner}/{source.repository}", source.branch, connection_arn=source.connection_arn
            ),
            install_commands=list(build.install),
            commands=[*build.test, *build.synth, *build.check],
            primary_output_directory=build.assembly,
            role=self.synth_role,
            build_environment=codebuild.BuildEnvironment(compute_type=codebuild.ComputeType.MEDIUM),
        )

    def _define_defaults(self) -> pipelines.CodeBuildOptions:
        log_group = logs.LogGroup(
            self,
            "Logs",
            encryption_key=self._key,
            retention=logs.RetentionDays.SIX_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        return pipelines.CodeBuildOptions(
            build_environment=codebuild.BuildEnvironment(build_image=_IMAGE),
            logging=codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log_group)),
            partial_build_spec=codebuild.BuildSpec.from_object(
                {"version": "0.2", "phases": {"install": {"runtime-versions": _RUNTIMES}}}
            ),
            timeout=Duration.hours(1),
        )


def _require_place(scope: Construct) -> None:
    stack = Stack.of(scope)
    if not (is_known(stack.account) and is_known(stack.region)):
        raise ConfigurationError(
            scope,
            "the stack of a DeliveryPipeline must have an account and a region, got none; "
            "give it env=Environment(account=…, region=…)",
        )


def _make_stage(scope: Construct, delivery: Delivery) -> Stage:
    app = scope.node.root
    assert isinstance(app, Construct)
    stage = delivery.stage(app)
    if not Stage.is_stage(stage):
        raise ConfigurationError(scope, f"a delivery's stage must return a Stage, got {type(stage).__name__}")
    return stage


def _gates(stage: Stage, delivery: Delivery, notifications: sns.ITopic | None) -> list[pipelines.Step]:
    if delivery.gate is None:
        return []
    gate = pipelines.ManualApprovalStep(
        f"{stage.node.id}-Gate", comment=delivery.gate, notification_topic=notifications
    )
    return [gate]


def _trains(stage: Stage, delivery: Delivery) -> list[pipelines.Step]:
    return [TrainStep(f"{stage.node.id}-Train", train=delivery.train)] if delivery.train else []

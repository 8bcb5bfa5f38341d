"""A release-owned endpoint: the template says what it must be and takes it away; releases give it its models."""

import re
from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core import (
    ConfigurationError,
    PlatformImage,
    advise,
    bucket_name,
    has_local_storage,
    is_known,
    key_arn,
    minutes,
    require_ml_instance,
    role_arn,
)
from mlplatform_cdk.foundation import JobNetwork
from mlplatform_cdk.runtimekit.endpoint_specification import VARIANTS, EndpointSpecification
from mlplatform_cdk.serving.capture import DataCapture
from mlplatform_cdk.serving.endpoint import Endpoint
from mlplatform_cdk.serving.image import ServingImage
from mlplatform_cdk.serving.inference_ami import inference_ami_of
from mlplatform_cdk.serving.model_container import check_environment, start_seconds
from mlplatform_cdk.serving.model_role import ModelRole
from mlplatform_cdk.serving.processors import check_processor
from mlplatform_cdk.serving.released_endpoint.removal import EndpointRemoval
from mlplatform_cdk.serving.scaling import ONE_TO_TWO, ScalingRange

# SageMaker lower-cases capitals in its ARNs, which IAM compares; two hyphens end the prefix of the models' names.
_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")
# Of SageMaker's 63 characters, the version, a digest and a suffix need the rest.
_LONGEST_NAME = 38
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_MetricsConfig.html
_FREQUENCIES = (10, 30, 60, 120, 180, 240, 300)
_MINUTE = minutes(1)


class ReleasedEndpoint(Endpoint):
    """An endpoint that a release creates at its first version and brings to each later one.

    The template holds its name, its specification and its clean removal: when the stack goes, the endpoint goes with
    its configurations, models and scaling. A change of the specification reaches the fleet with the next release;
    release the live version again to have it at once. It never holds a model, so that no deployment moves traffic.

    :param endpoint_name: 1 to 38 lower-case letters, digits and single hyphens.
    :param artifacts: where the models' archives lie, under ``runs/``, and what is captured, under ``capture/``.
    :param key: encrypts the volumes and what is captured; the key of the artifacts.
    :param image: what serves the models, for the instances' processor; default: a ``ServingImage`` for x86-64, which
        Graviton and GPU types refuse.
    :param instance_type: any ``ml.`` type; default: ml.m5.large.
    :param inference_ami_version: SageMaker's name of the machine image under the instances, which has the GPUs' driver;
        default: for this package's image on GPUs the one for CUDA 13, else SageMaker's choice.
    :param environment: variables of each version's container, over those that the version itself brings; values may be
        tokens, and nothing in them is secret (docs/serving.md, Settings); default: none.
    :param startup_timeout: how long a container may take until it answers ``/ping``, a minute to an hour; default:
        SageMaker's own 8 minutes. A release waits for its fleets that much longer.
    :param download_timeout: the same, for an archive to come from S3 and be unpacked; default: SageMaker's own.
    :param scaling: how many instances; default: one, growing to two.
    :param network: where the models' network interfaces are; default: in no VPC of the account.
    :param network_isolation: may the models' containers reach no network at all; default: yes.
    :param capture: which requests and answers are kept; default: none.
    :param metrics_every: how often SageMaker publishes the variants' metrics: 10 or 30 seconds, or 1 to 5 minutes. The
        sooner it does, the sooner a release finds a fault (docs/rollback-arithmetic.md); below a minute it takes
        SageMaker's enhanced metrics; default: a minute.
    :param detailed_observability: does SageMaker's collector publish OpenTelemetry metrics of the instances, the GPUs
        and the container's ``/metrics``, by the gigabyte (docs/serving.md, Metrics); default: no, where SageMaker's own
        is yes.
    :param log_removal_policy: what happens to the log group that SageMaker makes for the endpoint, when the endpoint
        goes; default: it is kept.
    """

    def __init__(  # noqa: PLR0913 - each argument but the first three has a default
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_name: str,
        artifacts: s3.IBucket,
        key: kms.IKey,
        image: PlatformImage | None = None,
        instance_type: str = "ml.m5.large",
        inference_ami_version: str | None = None,
        environment: Mapping[str, str] | None = None,
        startup_timeout: Duration | None = None,
        download_timeout: Duration | None = None,
        scaling: ScalingRange = ONE_TO_TWO,
        network: JobNetwork | None = None,
        network_isolation: bool = True,
        capture: DataCapture | None = None,
        metrics_every: Duration = _MINUTE,
        detailed_observability: bool = False,
        log_removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self._check_frequency(metrics_every)
        self._check_name(endpoint_name)
        require_ml_instance(self, "instance_type", instance_type)
        advise(self, "instance_type", instance_type)
        self.endpoint_name, self.variants, self.key = endpoint_name, VARIANTS, key
        self.image, variables = image or ServingImage(self, "Image"), dict(environment or {})
        try:
            check_environment(variables)
            startup_timeout_s = start_seconds("startup_timeout", startup_timeout)
            download_timeout_s = start_seconds("download_timeout", download_timeout)
        except ValueError as problem:
            raise ConfigurationError(self, str(problem)) from None
        check_processor(self, image=self.image, instance_type=instance_type, environment=variables)
        capture_prefix = f"capture/{endpoint_name}" if capture else ""
        self.model_role = ModelRole(
            self,
            "ModelRole",
            endpoint_name=endpoint_name,
            image=self.image,
            artifacts=artifacts,
            key=key,
            capture_prefix=capture_prefix,
            network=network,
        )
        self.specification = EndpointSpecification(
            endpoint_name=endpoint_name,
            instance_type=instance_type,
            minimum=scaling.minimum,
            maximum=scaling.maximum,
            invocations_per_minute=scaling.invocations_per_minute,
            model_role_arn=role_arn(self.model_role),
            network_isolation=network_isolation,
            subnet_ids=network.subnet_ids if network else (),
            security_group_ids=network.security_group_ids if network else (),
            volume_key_arn=None if _is_keyless(instance_type) else key_arn(key),
            capture_uri=f"s3://{bucket_name(artifacts)}/{capture_prefix}" if capture else None,
            capture_percentage=capture.percentage if capture else 0,
            capture_key_arn=key_arn(key) if capture else None,
            metrics_every_s=int(metrics_every.to_seconds()),
            inference_ami_version=inference_ami_of(
                self, image=self.image, instance_type=instance_type, asked=inference_ami_version
            ),
            environment=variables,
            startup_timeout_s=startup_timeout_s,
            download_timeout_s=download_timeout_s,
            detailed_observability=detailed_observability,
        )
        # Its id holds the name: a renamed endpoint gets a removal of its own, and the old one, with a role that still
        # reaches the old endpoint, takes that away.
        removal_id = f"Removal-{endpoint_name}" if is_known(endpoint_name) else "Removal"
        self.removal = EndpointRemoval(
            self,
            removal_id,
            specification=self.specification,
            key=key,
            logs_go=log_removal_policy is RemovalPolicy.DESTROY,
        )
        # The models' role and its permissions stay until no model uses them.
        self.removal.node.add_dependency(self.model_role)

    def _check_frequency(self, every: Duration) -> None:
        if every.to_seconds() not in _FREQUENCIES:
            raise ConfigurationError(
                self,
                f"metrics_every must be 10 or 30 seconds, or 1 to 5 whole minutes, got {every.to_seconds():g} seconds",
            )

    def _check_name(self, name: str) -> None:
        if is_known(name) and not (_NAME.fullmatch(name) and len(name) <= _LONGEST_NAME):
            raise ConfigurationError(
                self,
                f"endpoint_name must be 1 to {_LONGEST_NAME} lower-case letters, digits and single inner hyphens, "
                f"got {name!r}; try 'churn'",
            )


def _is_keyless(instance_type: str) -> bool:
    return is_known(instance_type) and has_local_storage(instance_type)

"""A template-owned endpoint: CloudFormation brings it to each new model, and SageMaker's guardrails watch it."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from mlplatform_cdk.core import (
    ConfigurationError,
    PlatformImage,
    acknowledge_controls,
    advise,
    has_local_storage,
    is_known,
    require_ml_instance,
)
from mlplatform_cdk.foundation import JobNetwork
from mlplatform_cdk.runtimekit.release_rules import StrategyError
from mlplatform_cdk.serving.capture import DataCapture
from mlplatform_cdk.serving.endpoint import Endpoint
from mlplatform_cdk.serving.guardrails import MOST_VARIANTS, DeploymentGuardrails
from mlplatform_cdk.serving.image import ServingImage
from mlplatform_cdk.serving.inference_ami import inference_ami_of
from mlplatform_cdk.serving.model_role import ModelRole
from mlplatform_cdk.serving.processors import check_processor
from mlplatform_cdk.serving.realtime_endpoint.fleet import FleetKeeper
from mlplatform_cdk.serving.realtime_endpoint.resources import configuration_of, model_of
from mlplatform_cdk.serving.realtime_endpoint.variant import EndpointVariant

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

# SageMaker lower-cases capitals in its ARNs, which IAM compares.
_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9]){0,62}")
_BAKED = DeploymentGuardrails.all_at_once()


class RealtimeEndpoint(Endpoint):
    """Models kept warm by the template: encrypted, scaled, and updated behind guardrails.

    A new model, instance type or weight is a new endpoint configuration, and the endpoint is brought to it by
    SageMaker's own update: beside the old fleet, as ``guardrails`` say, back when an alarm goes off. Scaling survives:
    the capacity that it had reached stays over an update, and a variant whose instance type changes is taken out of
    scaling before and put back after, since SageMaker refuses the update otherwise. An update that SageMaker has rolled
    back in silence fails the deployment. For steps, gates and rollback beyond an hour use a ``ReleasedEndpoint``.

    :param endpoint_name: lower-case letters, digits and single hyphens, up to 63.
    :param variants: the fleets, up to 10.
    :param artifacts: where the models' archives lie, under ``runs/``, and what is captured, under ``capture/``.
    :param key: encrypts the volumes and what is captured; the key of the artifacts.
    :param image: what serves the models that name no other, for the instances' processor; default: a ``ServingImage``
        for x86-64, which Graviton and GPU types refuse.
    :param network: where the models' network interfaces are; default: in no VPC of the account.
    :param network_isolation: may the models' containers reach no network at all; default: yes.
    :param capture: which requests and answers are kept; default: none.
    :param guardrails: how SageMaker updates it; default: all at once, with 10 minutes in which alarms take it back.
    :param detailed_observability: does SageMaker's collector publish OpenTelemetry metrics of the instances, the GPUs
        and the container's ``/metrics``, by the gigabyte (docs/serving.md, Metrics); default: no, where SageMaker's own
        is yes.

    Everything not offered here: ``endpoint.node.default_child`` is the CfnEndpoint.
    """

    def __init__(  # noqa: PLR0913 - each argument but the first four has a default
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_name: str,
        variants: Sequence[EndpointVariant],
        artifacts: s3.IBucket,
        key: kms.IKey,
        image: PlatformImage | None = None,
        network: JobNetwork | None = None,
        network_isolation: bool = True,
        capture: DataCapture | None = None,
        guardrails: DeploymentGuardrails = _BAKED,
        detailed_observability: bool = False,
    ) -> None:
        super().__init__(scope, id)
        self.endpoint_name, self.key, self.guardrails = endpoint_name, key, guardrails
        self.variants = tuple(one.name for one in variants)
        self._check(variants)
        capture_prefix = f"capture/{endpoint_name}" if capture else ""
        self.image = image or ServingImage(self, "Image")
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
        models = {one.name: self._define_model(one, artifacts, network, isolated=network_isolation) for one in variants}
        self.configuration = configuration_of(
            self,
            variants=variants,
            models=models,
            inference_amis={one.name: self._inference_ami(one) for one in variants},
            volume_key=None if _is_keyless(variants[0]) else key,
            capture=capture,
            capture_uri=f"s3://{artifacts.bucket_name}/{capture_prefix}",
            capture_key=key,
            detailed_observability=detailed_observability,
        )
        keeper = FleetKeeper(self, "Fleet", endpoint_name=endpoint_name, variants=variants, key=key)
        self._resource = self._define_endpoint()
        keeper.surround(self._resource, self.configuration)

    def roll_back_on(self, *alarms: "cloudwatch.IAlarm") -> None:
        """Take an update back when one of these goes off while it runs.

        :param alarms: at best on this endpoint's own metrics, ``metric_server_errors`` and ``metric_model_latency``.
        """
        try:
            self.guardrails = self.guardrails.with_alarms(alarms)
        except StrategyError as problem:
            raise ConfigurationError(self, str(problem)) from None
        self._resource.add_property_override("DeploymentConfig", self.guardrails.deployment())

    def _define_model(
        self, variant: EndpointVariant, artifacts: s3.IBucket, network: JobNetwork | None, *, isolated: bool
    ) -> sagemaker.CfnModel:
        model, own = variant.model, variant.model.image
        image = own or self.image
        check_processor(self, image=image, instance_type=variant.instance_type, environment=model.environment)
        if own is not None:
            own.grant_pull(self.model_role)
        return model_of(
            self,
            f"Model-{variant.name}",
            model=model,
            image=image,
            role=self.model_role,
            artifacts=artifacts,
            network=network,
            network_isolation=isolated,
        )

    def _inference_ami(self, variant: EndpointVariant) -> str | None:
        return inference_ami_of(
            self,
            image=variant.model.image or self.image,
            instance_type=variant.instance_type,
            asked=variant.inference_ami_version,
        )

    def _define_endpoint(self) -> sagemaker.CfnEndpoint:
        resource = sagemaker.CfnEndpoint(
            self,
            "Resource",
            endpoint_name=self.endpoint_name,
            endpoint_config_name=self.configuration.attr_endpoint_config_name,
        )
        for name, value in (self.guardrails.retained() | {"DeploymentConfig": self.guardrails.deployment()}).items():
            resource.add_property_override(name, value)
        return resource

    def _check(self, variants: Sequence[EndpointVariant]) -> None:
        name = self.endpoint_name
        if is_known(name) and not _NAME.fullmatch(name):
            raise ConfigurationError(
                self,
                "endpoint_name must be 1 to 63 lower-case letters, digits and single inner hyphens, "
                f"got {name!r}; try 'churn'",
            )
        if not 1 <= len(variants) <= MOST_VARIANTS:
            raise ConfigurationError(self, f"there must be 1 to {MOST_VARIANTS} variants, got {len(variants)}")
        if len(set(self.variants)) < len(variants):
            raise ConfigurationError(self, f"each variant must have a name of its own, got {', '.join(self.variants)}")
        if not sum(one.weight for one in variants):
            raise ConfigurationError(self, "one variant must have a weight above 0, or nothing answers")
        for one in variants:
            require_ml_instance(self, "instance_type", one.instance_type)
            advise(self, "instance_type", one.instance_type)
        self._check_volumes(variants)
        fleets = {one.name: (one.instance_type, one.scaling.minimum) for one in variants if is_known(one.instance_type)}
        most = {one.name: one.scaling.maximum for one in variants}
        try:
            self.guardrails.check_fleets(fleets)
            self.guardrails.check_scaled(most)
            self.guardrails.check_start(max(one.slow_start for one in variants))
        except StrategyError as problem:
            raise ConfigurationError(self, str(problem)) from None

    def _check_volumes(self, variants: Sequence[EndpointVariant]) -> None:
        # CreateEndpointConfig's reference said that it fails with a key for such disks, and says now that the key does
        # not encrypt them: to have none suits both.
        keyless = [one.instance_type for one in variants if _is_keyless(one)]
        if keyless and len(keyless) < len(variants):
            raise ConfigurationError(
                self,
                f"{keyless[0]} encrypts its own disks and takes no key, which an endpoint has for all its variants or "
                "for none; put it behind an endpoint of its own",
            )
        if keyless:
            reason = "the disks of these instances encrypt themselves, and SageMaker refuses a key for them"
            acknowledge_controls(self, {"SageMakerEndpointConfigurationKMSKeyConfigured": reason})


def _is_keyless(variant: EndpointVariant) -> bool:
    return is_known(variant.instance_type) and has_local_storage(variant.instance_type)

"""Endpoint configurations, kept whole: moto drops members and knows the instance types of 2021 only."""

from __future__ import annotations

from typing import Any

from moto.sagemaker.models import FakeEndpointConfig

from mlplatform_cdk.local.adapters.sagemaker_api import (
    Request,
    Scope,
    ValidationError,
    require_instance_type,
    take_over,
)


class KeptConfig(FakeEndpointConfig):
    """moto's record, answering with the whole request."""

    request: Request

    def validate_instance_type(self, instance_type: str) -> None:
        """Take any instance type that looks like one."""
        require_instance_type(instance_type)

    @property
    def response_object(self) -> dict[str, Any]:
        """The answer of DescribeEndpointConfig."""
        kept = {name: value for name, value in self.request.items() if name != "Tags"}
        return kept | {"EndpointConfigArn": self.endpoint_config_arn, "CreationTime": self.creation_time}


def install() -> None:
    """Take over CreateEndpointConfig."""
    take_over("CreateEndpointConfig", create)


def create(scope: Scope, request: Request) -> Request:
    """Keep a configuration whose models exist."""
    name = request["EndpointConfigName"]
    arn = scope.arn("endpoint-config", name)
    if name in scope.backend.endpoint_configs:
        raise ValidationError(f'Cannot create already existing endpoint configuration "{arn}".')
    variants, shadows = request["ProductionVariants"], request.get("ShadowProductionVariants") or []
    if shadows and (len(variants), len(shadows)) != (1, 1):
        raise ValidationError(
            "An endpoint configuration with a shadow variant must have one production variant and one shadow variant, "
            f"got {len(variants)} and {len(shadows)}."
        )
    _check(scope, [*variants, *shadows])
    config = KeptConfig(
        account_id=scope.account,
        region_name=scope.region,
        endpoint_config_name=name,
        production_variants=variants,
        async_inference_config=request.get("AsyncInferenceConfig") or {},
        data_capture_config=request.get("DataCaptureConfig") or {},
        tags=request.get("Tags") or [],
        kms_key_id=request.get("KmsKeyId") or "",
    )
    config.request = request | {"ProductionVariants": [{"InitialVariantWeight": 1.0, **each} for each in variants]}
    if shadows:
        config.request["ShadowProductionVariants"] = [{"InitialVariantWeight": 1.0, **each} for each in shadows]
    scope.backend.endpoint_configs[name] = config
    return {"EndpointConfigArn": arn}


def find(scope: Scope, name: str) -> Request:
    """The request that made the configuration ``name``."""
    config = scope.backend.endpoint_configs.get(name)
    if config is None:
        raise ValidationError(f'Could not find endpoint configuration "{scope.arn("endpoint-config", name)}".')
    assert isinstance(config, KeptConfig)
    return config.request


def _check(scope: Scope, variants: list[dict[str, Any]]) -> None:
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) != len(names):
        raise ValidationError(f"The variant names must be unique within an endpoint configuration, got {names}.")
    for variant in variants:
        if variant.get("ModelName") not in scope.backend._models:
            raise ValidationError(f'Could not find model "{scope.arn("model", str(variant.get("ModelName")))}".')

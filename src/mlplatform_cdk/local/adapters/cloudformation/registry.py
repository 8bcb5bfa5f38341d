"""Which resource types the embedded AWS has: ours, which use the services' APIs, before those that moto brings."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

from moto.cloudformation.parsing import get_model_map

from mlplatform_cdk.local.adapters.cloudformation.custom import CustomKind
from mlplatform_cdk.local.adapters.cloudformation.moto_kinds import MotoKind

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Kind

_MODULES = (
    "api_gateway",
    "bookkeeping",
    "compute",
    "delivery",
    "inside",
    "messaging",
    "network",
    "observing",
    "route53",
    "sagemaker",
    "security",
    "storage",
)


@lru_cache
def own_kinds() -> dict[str, Kind]:
    """Our kinds by resource type."""
    kinds: dict[str, Kind] = {}
    for name in _MODULES:
        kinds.update(import_module(f"{__package__}.kinds.{name}").KINDS)
    return kinds


def kind_of(resource_type: str) -> Kind | None:
    """The kind of ``resource_type``; None when the embedded AWS has no such thing."""
    if resource_type.startswith("Custom::") or resource_type == "AWS::CloudFormation::CustomResource":
        return CustomKind()
    own = own_kinds().get(resource_type)
    if own is not None:
        return own
    model = get_model_map().get(resource_type)
    return MotoKind(model) if model is not None else None

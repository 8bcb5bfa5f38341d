"""The API of one region for callers inside: a load balancer in the VPC, and PrivateLink for other VPCs."""

from mlplatform_cdk.routing.internal_api.construct import InternalApi
from mlplatform_cdk.routing.internal_api.private_link import PrivateLink

__all__ = ["InternalApi", "PrivateLink"]

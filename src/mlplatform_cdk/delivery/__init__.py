"""How does a change reach every environment? A pipeline that checks, gates and deploys whole stages."""

from mlplatform_cdk.delivery.pipeline import DeliveryPipeline
from mlplatform_cdk.delivery.source import ConnectionSource
from mlplatform_cdk.delivery.steps import Build, Delivery

__all__ = ["Build", "ConnectionSource", "Delivery", "DeliveryPipeline"]

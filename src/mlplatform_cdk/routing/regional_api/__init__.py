"""The API in front of one region's endpoint: who may call it, how often, by which names, and how it says its health."""

from mlplatform_cdk.routing.regional_api.authorization import Authorization
from mlplatform_cdk.routing.regional_api.construct import RegionalApi
from mlplatform_cdk.routing.regional_api.firewall import Firewall
from mlplatform_cdk.routing.regional_api.names import MutualTls
from mlplatform_cdk.routing.regional_api.throttle import Throttle

__all__ = ["Authorization", "Firewall", "MutualTls", "RegionalApi", "Throttle"]

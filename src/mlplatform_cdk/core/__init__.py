"""What every construct needs and no domain word describes: errors, assets, Lambda defaults, instance facts."""

from mlplatform_cdk.core.acknowledgements import (
    accept_checkov,
    accept_lint,
    acknowledge,
    acknowledge_controls,
    acknowledge_wildcards,
)
from mlplatform_cdk.core.assets import container_asset, runtime_code
from mlplatform_cdk.core.dead_letters import dead_letters_of
from mlplatform_cdk.core.errors import ConfigurationError, is_known
from mlplatform_cdk.core.functions import LAMBDA_RUNTIME, PlatformFunction
from mlplatform_cdk.core.grants import grant_decrypt, grant_encrypt, grant_list, grant_read, grant_write
from mlplatform_cdk.core.images import PlatformImage
from mlplatform_cdk.core.instances import InstanceType, advise, has_local_storage, instance_type_of, require_ml_instance
from mlplatform_cdk.core.roles import PlatformRole

__all__ = [
    "LAMBDA_RUNTIME",
    "ConfigurationError",
    "InstanceType",
    "PlatformFunction",
    "PlatformImage",
    "PlatformRole",
    "accept_checkov",
    "accept_lint",
    "acknowledge",
    "acknowledge_controls",
    "acknowledge_wildcards",
    "advise",
    "container_asset",
    "dead_letters_of",
    "grant_decrypt",
    "grant_encrypt",
    "grant_list",
    "grant_read",
    "grant_write",
    "has_local_storage",
    "instance_type_of",
    "is_known",
    "require_ml_instance",
    "runtime_code",
]

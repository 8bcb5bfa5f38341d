"""What every construct needs and no domain word describes: errors, assets, Lambda defaults, instance facts."""

from mlplatform_cdk.core.acknowledgements import (
    accept_checkov,
    accept_lint,
    acknowledge,
    acknowledge_controls,
    acknowledge_wildcards,
)
from mlplatform_cdk.core.answers import arn_of, key_arn, partition_of, resource_of, seconds_of, stack_of
from mlplatform_cdk.core.assets import container_asset, container_context, dockerfile_path, runtime_code
from mlplatform_cdk.core.build_role import BuildRole
from mlplatform_cdk.core.dead_letters import dead_letters_of
from mlplatform_cdk.core.errors import ConfigurationError, is_known
from mlplatform_cdk.core.functions import LAMBDA_RUNTIME, PlatformFunction
from mlplatform_cdk.core.grants import (
    grant,
    grant_decrypt,
    grant_encrypt,
    grant_list,
    grant_read,
    grant_write,
    principal_of,
)
from mlplatform_cdk.core.images import PlatformImage
from mlplatform_cdk.core.instances import InstanceType, advise, has_local_storage, instance_type_of, require_ml_instance
from mlplatform_cdk.core.roles import PlatformRole, permission

__all__ = [
    "LAMBDA_RUNTIME",
    "BuildRole",
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
    "arn_of",
    "container_asset",
    "container_context",
    "dead_letters_of",
    "dockerfile_path",
    "grant",
    "grant_decrypt",
    "grant_encrypt",
    "grant_list",
    "grant_read",
    "grant_write",
    "has_local_storage",
    "instance_type_of",
    "is_known",
    "key_arn",
    "partition_of",
    "permission",
    "principal_of",
    "require_ml_instance",
    "resource_of",
    "runtime_code",
    "seconds_of",
    "stack_of",
]

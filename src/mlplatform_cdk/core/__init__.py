"""What every construct needs and no domain word describes: errors, assets, Lambda defaults, instance facts."""

from mlplatform_cdk.core.access import Access, Statement, allowed
from mlplatform_cdk.core.acknowledgements import (
    accept_checkov,
    accept_lint,
    acknowledge,
    acknowledge_controls,
    acknowledge_wildcards,
)
from mlplatform_cdk.core.answers import (
    account_of,
    arn_of,
    key_arn,
    partition_of,
    region_of,
    resource_of,
    seconds_of,
    stack_of,
)
from mlplatform_cdk.core.assets import container_asset, container_context, dockerfile_path, runtime_code
from mlplatform_cdk.core.build_role import BuildRole
from mlplatform_cdk.core.dead_letters import dead_letters_of
from mlplatform_cdk.core.durations import days, hours, minutes
from mlplatform_cdk.core.errors import ConfigurationError, is_known
from mlplatform_cdk.core.functions import LAMBDA_RUNTIME, PlatformFunction
from mlplatform_cdk.core.grants import (
    decrypting,
    encrypting,
    give,
    grant,
    grant_actions,
    grant_decrypt,
    grant_encrypt,
    grant_list,
    grant_read,
    grant_write,
    listing,
    principal_of,
    reading,
    writing,
)
from mlplatform_cdk.core.images import PlatformImage
from mlplatform_cdk.core.instances import InstanceType, advise, has_local_storage, instance_type_of, require_ml_instance
from mlplatform_cdk.core.roles import PlatformRole, permission, service_principal
from mlplatform_cdk.core.runbook_links import KeptRunbooks, WayOut, lead_to

__all__ = [
    "LAMBDA_RUNTIME",
    "Access",
    "BuildRole",
    "ConfigurationError",
    "InstanceType",
    "KeptRunbooks",
    "PlatformFunction",
    "PlatformImage",
    "PlatformRole",
    "Statement",
    "WayOut",
    "accept_checkov",
    "accept_lint",
    "account_of",
    "acknowledge",
    "acknowledge_controls",
    "acknowledge_wildcards",
    "advise",
    "allowed",
    "arn_of",
    "container_asset",
    "container_context",
    "days",
    "dead_letters_of",
    "decrypting",
    "dockerfile_path",
    "encrypting",
    "give",
    "grant",
    "grant_actions",
    "grant_decrypt",
    "grant_encrypt",
    "grant_list",
    "grant_read",
    "grant_write",
    "has_local_storage",
    "hours",
    "instance_type_of",
    "is_known",
    "key_arn",
    "lead_to",
    "listing",
    "minutes",
    "partition_of",
    "permission",
    "principal_of",
    "reading",
    "region_of",
    "require_ml_instance",
    "resource_of",
    "runtime_code",
    "seconds_of",
    "service_principal",
    "stack_of",
    "writing",
]

"""Log groups that a service makes by itself: no stack knows of them, so they stay when it goes, as in AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplatform_cdk.local.adapters.cloudformation.clients import client

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Resource

# https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
WELCOME = "/aws/apigateway/welcome"
EXECUTIONS = "API-Gateway-Execution-Logs_"


def open_log_group(resource: Resource, name: str) -> None:
    """Make the group that the service of ``resource`` writes to, unless somebody has."""
    logs = client("logs", resource.region)
    if not any(one["logGroupName"] == name for one in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]):
        logs.create_log_group(logGroupName=name)

"""Tasks call services as the machine's role, so that a permission which the template forgot fails here.

moto's interpreter calls them as nobody, under the names that AWS's Java SDK gives to services.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_aws_sdk
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.utils import boto_client

from mlplatform_cdk.local import role_clients

if TYPE_CHECKING:
    from botocore.client import BaseClient

SERVICE = "states.amazonaws.com"
INTERPRETER = "moto.stepfunctions.parser"
BOTO_NAMES = {
    "applicationautoscaling": "application-autoscaling",
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sagemakerruntime": "sagemaker-runtime",
    "sagemakerfeaturestoreruntime": "sagemaker-featurestore-runtime",
    "servicequotas": "service-quotas",
}
ERROR_NAMES = {
    "applicationautoscaling": "ApplicationAutoScaling",
    "cloudwatch": "CloudWatch",
    "cloudwatchlogs": "CloudWatchLogs",
    "ec2": "Ec2",
    "eventbridge": "EventBridge",
    "kms": "Kms",
    "lambda": "Lambda",
    "s3": "S3",
    "sagemaker": "SageMaker",
    "sagemakerruntime": "SageMakerRuntime",
    "secretsmanager": "SecretsManager",
    "sns": "Sns",
    "sqs": "Sqs",
    "ssm": "Ssm",
}

_original = boto_client.boto_client_for


def install() -> None:
    """Give every module of the interpreter our clients, and the names that AWS uses."""
    StateTaskService._SERVICE_NAME_SFN_TO_BOTO_OVERRIDES.update(BOTO_NAMES)
    state_task_service_aws_sdk._SERVICE_ERROR_NAMES.update(ERROR_NAMES)
    for name, module in list(sys.modules.items()):
        if name.startswith(INTERPRETER) and getattr(module, "boto_client_for", None) is _original:
            module.boto_client_for = client_for  # type: ignore[attr-defined]


def client_for(region: str, service: str, state_credentials: Any = None) -> BaseClient:
    """A client that signs as the state machine's role.

    :param region: where the call goes.
    :param service: boto's name of the service.
    :param state_credentials: the role, as the interpreter holds it; default: the administrator.
    """
    role_arn = None if state_credentials is None else state_credentials.role_arn
    client: BaseClient = role_clients.client_for(
        service, region, role_arn=role_arn, session_name="states", principal=SERVICE
    )
    return client

"""``AWS::Lambda::Function`` with the properties that moto drops, and ``AWS::Lambda::EventInvokeConfig``."""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.awslambda.utils import get_backend
from moto.core.common_models import CloudFormationModel

from mlplatform_cdk.local.adapters.lambda_functions import workers

_create = LambdaFunction.create_from_cloudformation_json.__func__
_update = LambdaFunction.update_from_cloudformation_json.__func__
_configuration = LambdaFunction.get_configuration
_initialize = LambdaFunction.__init__
_delete = LambdaFunction.delete


def install() -> None:
    """Replace moto's hooks."""
    LambdaFunction.create_from_cloudformation_json = classmethod(_create_whole)
    LambdaFunction.update_from_cloudformation_json = classmethod(_update_whole)
    LambdaFunction.get_configuration = _whole_configuration
    LambdaFunction.__init__ = _initialize_whole
    LambdaFunction.delete = _delete_with_workers


def _initialize_whole(
    function: LambdaFunction, account_id: str, spec: dict[str, Any], *more: Any, **named: Any
) -> None:
    _initialize(function, account_id, spec, *more, **named)
    _remember(function, spec)


def _create_whole(
    cls: type[LambdaFunction], resource_name: str, cloudformation_json: dict[str, Any], *more: Any, **named: Any
) -> LambdaFunction:
    function: LambdaFunction = _create(cls, resource_name, cloudformation_json, *more, **named)
    properties = cloudformation_json["Properties"]
    _remember(function, properties)
    _take_over(function, properties)
    return function


def _update_whole(
    cls: type[LambdaFunction],
    original_resource: LambdaFunction,
    new_resource_name: str,
    cloudformation_json: dict[str, Any],
    *more: Any,
    **named: Any,
) -> LambdaFunction:
    properties = cloudformation_json["Properties"]
    function: LambdaFunction = _update(cls, original_resource, new_resource_name, cloudformation_json, *more, **named)
    if "Environment" not in properties:
        function.environment_vars = {}
    _remember(function, properties)
    _take_over(function, properties)
    return function


def _remember(function: Any, spec: dict[str, Any]) -> None:
    function.dead_letter_config = spec.get("DeadLetterConfig")
    function.logging_config = spec.get("LoggingConfig")


def _take_over(function: LambdaFunction, properties: dict[str, Any]) -> None:
    function.architectures = properties.get("Architectures", ["x86_64"])
    function.tracing_config = properties.get("TracingConfig") or {"Mode": "PassThrough"}
    function.kms_key_arn = properties.get("KmsKeyArn")
    function.layers = function._get_layers_data(properties.get("Layers", []))
    function.tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    function.package_type = properties.get("PackageType", "Zip")
    function.reserved_concurrency = properties.get("ReservedConcurrentExecutions")
    function.timeout = int(properties.get("Timeout", 3))
    if "EphemeralStorage" in properties:
        function.ephemeral_storage = int(properties["EphemeralStorage"]["Size"])


def _whole_configuration(function: Any, *more: Any, **named: Any) -> dict[str, Any]:
    configuration = _configuration(function, *more, **named)
    if getattr(function, "dead_letter_config", None):
        configuration["DeadLetterConfig"] = function.dead_letter_config
    if getattr(function, "logging_config", None):
        configuration["LoggingConfig"] = function.logging_config
    return configuration


def _delete_with_workers(function: LambdaFunction, account_id: str, region: str) -> None:
    workers.end_all(function.function_arn)
    _delete(function, account_id, region)


class EventInvokeConfiguration(CloudFormationModel):
    """``AWS::Lambda::EventInvokeConfig``: attempts and destinations of asynchronous events."""

    def __init__(self, function_name: str, qualifier: str) -> None:
        self.function_name = function_name
        self.qualifier = qualifier

    @property
    def physical_resource_id(self) -> str:
        """CloudFormation's ``Ref``."""
        return f"{self.function_name}|{self.qualifier}"

    @staticmethod
    def cloudformation_name_type() -> str:
        """No property names the resource."""
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        """The type in templates."""
        return "AWS::Lambda::EventInvokeConfig"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,  # noqa: ARG003 -- moto's signature
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> EventInvokeConfiguration:
        """Give the function its configuration."""
        properties = cloudformation_json["Properties"]
        names = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
        config = {name: properties[name] for name in names if name in properties}
        for name in names[:2]:
            if name in config:
                config[name] = int(config[name])
        backend = get_backend(account_id, region_name)
        backend.get_function(properties["FunctionName"]).event_invoke_config = []
        backend.put_function_event_invoke_config(properties["FunctionName"], config)
        return cls(properties["FunctionName"], properties["Qualifier"])

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,  # noqa: ARG003 -- moto's signature
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> EventInvokeConfiguration:
        """Replace the function's configuration."""
        return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)

    @classmethod
    def delete_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Any,  # noqa: ARG003 -- moto's signature
        account_id: str,
        region_name: str,
    ) -> None:
        """Take the configuration away."""
        function_name = resource_name.partition("|")[0]
        get_backend(account_id, region_name).delete_function_event_invoke_config(function_name)

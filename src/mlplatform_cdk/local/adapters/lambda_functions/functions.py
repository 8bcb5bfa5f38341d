"""The settings of a function that moto drops: dead letters, logging, and most of what an update changes."""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import LambdaBackend, LambdaFunction

from mlplatform_cdk.local.adapters.lambda_functions import workers

_configuration = LambdaFunction.get_configuration
_update = LambdaFunction.update_configuration
_initialize = LambdaFunction.__init__
_delete = LambdaBackend.delete_function
_put = LambdaBackend.put_function_event_invoke_config


def install() -> None:
    """Replace moto's hooks."""
    LambdaFunction.__init__ = _initialize_whole
    LambdaFunction.get_configuration = _whole_configuration
    LambdaFunction.update_configuration = _update_whole
    LambdaBackend.delete_function = _delete_with_workers
    LambdaBackend.put_function_event_invoke_config = _put_the_only_one


def _initialize_whole(
    function: LambdaFunction, account_id: str, spec: dict[str, Any], *more: Any, **named: Any
) -> None:
    _initialize(function, account_id, spec, *more, **named)
    function.dead_letter_config = spec.get("DeadLetterConfig")
    function.logging_config = spec.get("LoggingConfig")


def _whole_configuration(function: LambdaFunction, *more: Any, **named: Any) -> dict[str, Any]:
    configuration: dict[str, Any] = _configuration(function, *more, **named)
    kept = {"DeadLetterConfig": function.dead_letter_config, "LoggingConfig": function.logging_config}
    return configuration | {key: value for key, value in kept.items() if value}


def _update_whole(function: LambdaFunction, config_updates: dict[str, Any]) -> dict[str, Any]:
    names = {
        "DeadLetterConfig": "dead_letter_config",
        "KMSKeyArn": "kms_key_arn",
        "LoggingConfig": "logging_config",
        "TracingConfig": "tracing_config",
    }
    for key, name in names.items():
        if key in config_updates:
            setattr(function, name, config_updates[key])
    if "EphemeralStorage" in config_updates:
        function.ephemeral_storage = int(config_updates["EphemeralStorage"]["Size"])
    configuration: dict[str, Any] = _update(function, config_updates)
    return configuration


def _delete_with_workers(backend: LambdaBackend, function_name: str, qualifier: str | None = None) -> None:
    workers.end_all(backend.get_function(function_name, qualifier).function_arn)
    _delete(backend, function_name, qualifier)


def _put_the_only_one(backend: LambdaBackend, function_name: str, config: dict[str, Any]) -> dict[str, Any]:
    """A second configuration takes the place of the first; moto keeps both and reads the first."""
    backend.get_function(function_name).event_invoke_config = []
    answer: dict[str, Any] = _put(backend, function_name, config)
    return answer

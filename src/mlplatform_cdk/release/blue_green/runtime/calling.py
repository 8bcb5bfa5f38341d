"""The calls that change something: made by whoever holds the turn, and made again without harm.

The answer of a call may get lost when the call took effect. It is made again then, and SageMaker refuses what is done:
such a refusal counts as done where what is there is what was asked for.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

from mlplatform_cdk.release.blue_green.runtime.errors import NameTaken
from mlplatform_cdk.runtimekit import aws, logs, scalable_targets

Asked = Mapping[str, Any]
# What tells the one that this release makes from another one by its name; the rest follows from the endpoint.
_OF_MODEL = ("ExecutionRoleArn", "EnableNetworkIsolation", "PrimaryContainer", "VpcConfig")
_OF_CONFIGURATION = ("ProductionVariants", "ShadowProductionVariants", "KmsKeyId")
_CLOSE = 1e-6  # SageMaker's weights have single precision
# Five tries and the pauses between them are less than the minute that a state waits for a call: one that is given up
# must not be made after that.
_PATIENCE_S = 8
# Of MetricsConfig since June 2026; Lambda's boto3 may be older than that, and refuses what it does not know.
_NEWEST_METRIC = "EnableDetailedObservability"
_LOG = logs.logger("calling")


def call(event: Asked) -> dict[str, Any]:
    """The step: make one call.

    :param event: ``call``, one of this module's, and its ``parameters``.
    """
    CALLS[event["call"]](event["parameters"])
    return {}


def differences(asked: Any, found: Any, where: str = "") -> list[str]:
    """Where ``found`` is not what was asked for; what was not asked about is not looked at. Pure.

    :param asked: the parameters of a call, or a part of them.
    :param found: what describes what is there.
    :param where: the path of both; default: the top.
    """
    if isinstance(asked, Mapping):
        known = found if isinstance(found, Mapping) else {}
        return [at for name, one in asked.items() for at in differences(one, known.get(name), f"{where}.{name}")]
    if _are_variants(asked) and _are_variants(found):
        return differences(_by_name(asked), _by_name(found), where) or _more(asked, found, where)
    return [] if _is_same(asked, found) else [where.removeprefix(".")]


def _create_model(asked: Asked) -> None:
    sagemaker = aws.client("sagemaker", patience_s=_PATIENCE_S)
    try:
        sagemaker.create_model(**asked)
    except sagemaker.exceptions.ClientError as refused:
        if not _exists_already(refused):
            raise
        found = sagemaker.describe_model(ModelName=asked["ModelName"])
        _must_be_ours(f"the model {asked['ModelName']}", asked, found, _OF_MODEL)


def _create_endpoint_config(asked: Asked) -> None:
    from botocore.exceptions import ParamValidationError  # an asset must boot without boto3

    sagemaker = aws.client("sagemaker", patience_s=_PATIENCE_S)
    try:
        try:
            sagemaker.create_endpoint_config(**asked)
        except ParamValidationError as unknown:
            if _NEWEST_METRIC not in str(unknown):
                raise
            _LOG.warning("this boto3 cannot say %s: the configuration gets SageMaker's own default", _NEWEST_METRIC)
            sagemaker.create_endpoint_config(**_without_newest(asked))
    except sagemaker.exceptions.ClientError as refused:
        if not _exists_already(refused):
            raise
        name = asked["EndpointConfigName"]
        found = sagemaker.describe_endpoint_config(EndpointConfigName=name)
        _must_be_ours(f"the endpoint configuration {name}", asked, found, _OF_CONFIGURATION)


def _without_newest(asked: Asked) -> dict[str, Any]:
    metrics = {name: value for name, value in asked["MetricsConfig"].items() if name != _NEWEST_METRIC}
    rest = {name: value for name, value in asked.items() if name != "MetricsConfig"}
    return rest | ({"MetricsConfig": metrics} if metrics else {})


def _create_endpoint(asked: Asked) -> None:
    sagemaker = aws.client("sagemaker", patience_s=_PATIENCE_S)
    try:
        sagemaker.create_endpoint(**asked)
    except sagemaker.exceptions.ClientError as refused:
        if not _exists_already(refused):
            raise
        found = sagemaker.describe_endpoint(EndpointName=asked["EndpointName"])
        _must_be_ours(f"the endpoint {asked['EndpointName']}", asked, found, ("EndpointConfigName",))


def _update_endpoint(asked: Asked) -> None:
    sagemaker = aws.client("sagemaker", patience_s=_PATIENCE_S)
    try:
        sagemaker.update_endpoint(**asked)
    except sagemaker.exceptions.ClientError as refused:
        if not _is_refusal(refused):
            raise
        found = sagemaker.describe_endpoint(EndpointName=asked["EndpointName"])
        # While an update is under way, the live configuration is the one before it.
        coming = (found.get("PendingDeploymentSummary") or found).get("EndpointConfigName")
        if coming != asked["EndpointConfigName"]:
            raise


def _update_weights(asked: Asked) -> None:
    sagemaker = aws.client("sagemaker", patience_s=_PATIENCE_S)
    try:
        sagemaker.update_endpoint_weights_and_capacities(**asked)
    except sagemaker.exceptions.ClientError as refused:
        if not _is_refusal(refused):
            raise
        found = sagemaker.describe_endpoint(EndpointName=asked["EndpointName"])
        now = _by_name(found.get("ProductionVariants", ()))
        if differences(_by_name(asked["DesiredWeightsAndCapacities"]), now):
            raise


def _delete_endpoint(asked: Asked) -> None:
    sagemaker = aws.client("sagemaker", patience_s=_PATIENCE_S)
    try:
        sagemaker.delete_endpoint(**asked)
    except sagemaker.exceptions.ClientError as refused:
        if not _is_refusal(refused):
            raise
        if "Could not find" in _message(refused):
            return
        if sagemaker.describe_endpoint(**asked)["EndpointStatus"] != "Deleting":
            raise


def _update_model_package(asked: Asked) -> None:
    aws.client("sagemaker", patience_s=_PATIENCE_S).update_model_package(**asked)


def _register_scalable_target(asked: Asked) -> None:
    """Several calls, one after the other, which have to be over as early as one."""
    _, endpoint_name, _, _ = asked["ResourceId"].split("/")
    scalable_targets.register(asked, owner=endpoint_name, patience_s=_PATIENCE_S, attempts=2)


def _put_scaling_policy(asked: Asked) -> None:
    aws.client("application-autoscaling", patience_s=_PATIENCE_S).put_scaling_policy(**asked)


# By their names in a definition; the last three may be made any number of times.
CALLS: Mapping[str, Callable[[Asked], None]] = {
    "sagemaker:createModel": _create_model,
    "sagemaker:createEndpointConfig": _create_endpoint_config,
    "sagemaker:createEndpoint": _create_endpoint,
    "sagemaker:updateEndpoint": _update_endpoint,
    "sagemaker:updateEndpointWeightsAndCapacities": _update_weights,
    "sagemaker:deleteEndpoint": _delete_endpoint,
    "sagemaker:updateModelPackage": _update_model_package,
    "applicationautoscaling:registerScalableTarget": _register_scalable_target,
    "applicationautoscaling:putScalingPolicy": _put_scaling_policy,
}


def _must_be_ours(what: str, asked: Asked, found: Mapping[str, Any], told: Sequence[str]) -> None:
    others = differences({name: asked[name] for name in told if name in asked}, found)
    if others:
        raise NameTaken(
            f"{what} must be the one that this release makes, and one that differs in {', '.join(others)} is there; "
            "delete it, and start the release again"
        )


def _exists_already(refused: Any) -> bool:
    return _is_refusal(refused) and "already existing" in _message(refused)


def _is_refusal(refused: Any) -> bool:
    """SageMaker has one code for whatever it does not take."""
    return bool(refused.response["Error"]["Code"] == "ValidationException")


def _message(refused: Any) -> str:
    return str(refused.response["Error"]["Message"])


def _are_variants(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, Mapping) and "VariantName" in one for one in value)


def _by_name(variants: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {one["VariantName"]: one for one in variants}


def _more(asked: Sequence[Asked], found: Sequence[Asked], where: str) -> list[str]:
    """Variants that nobody asked for."""
    return [f"{where.removeprefix('.')}.{name}" for name in _by_name(found) if name not in _by_name(asked)]


def _are_names(value: Any) -> TypeGuard[Sequence[str]]:
    """Such as subnets and security groups, which SageMaker gives back in any order."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_same(asked: object, found: object) -> bool:
    if isinstance(asked, int | float) and isinstance(found, int | float):
        return math.isclose(asked, found, rel_tol=_CLOSE, abs_tol=_CLOSE)
    if _are_names(asked) and _are_names(found):
        return sorted(asked) == sorted(found)
    return asked == found or not (asked or found)

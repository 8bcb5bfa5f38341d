"""Throttles a stage of an API, or one of its methods, and lets it go again.

https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
"""

from collections.abc import Mapping
from typing import Any

_ALL, _NONE = "*/*", "none"
_RATE, _BURST = "throttling/rateLimit", "throttling/burstLimit"
# What a method's own settings would otherwise not have: they replace those of all methods as a whole.
_KEPT = {"metrics/enabled": "metricsEnabled", "logging/loglevel": "loggingLevel"}


def look(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """What ``mend`` needs: rate and burst of ``Method`` as they are; ``none``: it has those of all methods."""
    import boto3

    own = _stage(boto3.client("apigateway"), events)["methodSettings"].get(events["Method"])
    return {"Former": f"{own['throttlingRateLimit']} {own['throttlingBurstLimit']}" if own else _NONE}


def break_it(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Let ``Rate`` requests a second of ``Method`` through, ``Burst`` at once."""
    import boto3

    client = boto3.client("apigateway")
    settings = _stage(client, events)["methodSettings"]
    wanted = {_RATE: str(events["Rate"]), _BURST: str(events["Burst"])}
    if events["Method"] not in settings:
        common = settings.get(_ALL, {})
        wanted |= {name: _text(common[key]) for name, key in _KEPT.items() if key in common}
    _replace(client, events, wanted)
    return {"Broken": f"{events['Rate']} requests a second"}


def mend(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Let through what was let through before."""
    import boto3

    client = boto3.client("apigateway")
    if events["Former"] != _NONE:
        _replace(client, events, dict(zip((_RATE, _BURST), events["Former"].split(), strict=True)))
    elif events["Method"] in _stage(client, events)["methodSettings"]:
        _patch(client, events, [{"op": "remove", "path": f"/{events['Method']}"}])
    return {"Mended": f"{events['Method']} as before"}


def _stage(client: Any, events: Mapping[str, Any]) -> Mapping[str, Any]:
    stage: Mapping[str, Any] = client.get_stage(restApiId=events["RestApiId"], stageName=events["StageName"])
    return stage


def _replace(client: Any, events: Mapping[str, Any], values: Mapping[str, str]) -> None:
    paths = {name: f"/{events['Method']}/{name}" for name in values}
    _patch(client, events, [{"op": "replace", "path": paths[name], "value": value} for name, value in values.items()])


def _patch(client: Any, events: Mapping[str, Any], operations: list[dict[str, str]]) -> None:
    client.update_stage(restApiId=events["RestApiId"], stageName=events["StageName"], patchOperations=operations)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

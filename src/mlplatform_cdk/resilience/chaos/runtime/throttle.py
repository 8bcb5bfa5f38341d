"""Throttles a stage of an API, or some of its methods, and lets it go again.

https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
"""

from collections.abc import Mapping
from typing import Any

_ALL, _NONE = "*/*", "none"
_RATE, _BURST = "throttling/rateLimit", "throttling/burstLimit"
# What a method's own settings would otherwise not have: they replace those of all methods as a whole.
_KEPT = {"metrics/enabled": "metricsEnabled", "logging/loglevel": "loggingLevel"}


def look(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """What ``mend`` needs: rate and burst of each of ``Methods`` as they are; ``none``: it has those of all methods."""
    import boto3

    settings = _stage(boto3.client("apigateway"), events)["methodSettings"]
    own = [settings.get(method) for method in events["Methods"].split()]
    if any(one and one["throttlingRateLimit"] <= float(events["Rate"]) for one in own):
        raise RuntimeError(
            f"{events['Methods']} must let more through than {events['Rate']} requests a second, and do not: another "
            "drill has broken them, or its mending failed; mend them first"
        )
    return {
        "Former": ",".join(
            f"{one['throttlingRateLimit']} {one['throttlingBurstLimit']}" if one else _NONE for one in own
        )
    }


def break_it(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Let ``Rate`` requests a second of each of ``Methods`` through, ``Burst`` at once."""
    import boto3

    client = boto3.client("apigateway")
    settings = _stage(client, events)["methodSettings"]
    common = settings.get(_ALL, {})
    inherited = {name: _text(common[key]) for name, key in _KEPT.items() if key in common}
    wanted = {_RATE: str(events["Rate"]), _BURST: str(events["Burst"])}
    operations = []
    for method in events["Methods"].split():
        operations += _replacing(method, wanted if method in settings else inherited | wanted)
    _patch(client, events, operations)
    return {"Broken": f"{events['Rate']} requests a second"}


def mend(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Let through what was let through before, of each method that is still as ``break_it`` left it.

    What somebody has changed since is theirs.
    """
    import boto3

    client = boto3.client("apigateway")
    operations, kept = [], []
    try:
        settings = _stage(client, events)["methodSettings"]
    except client.exceptions.NotFoundException:
        return {"Mended": "nothing: the stage is gone"}
    for method, former in zip(events["Methods"].split(), events["Former"].split(","), strict=True):
        if not _is_broken(settings.get(method), events):
            kept.append(method)
        elif former == _NONE:
            operations.append({"op": "remove", "path": f"/{method}"})
        else:
            operations += _replacing(method, dict(zip((_RATE, _BURST), former.split(), strict=True)))
    if operations:
        _patch(client, events, operations)
    return {"Mended": f"{events['Methods']} as before, but for what was no longer broken: {' '.join(kept) or 'none'}"}


def _is_broken(own: Mapping[str, Any] | None, events: Mapping[str, Any]) -> bool:
    """Has the method what ``break_it`` gave it."""
    if own is None:
        return False
    now = (float(own["throttlingRateLimit"]), float(own["throttlingBurstLimit"]))
    return now == (float(events["Rate"]), float(events["Burst"]))


def _stage(client: Any, events: Mapping[str, Any]) -> Mapping[str, Any]:
    stage: Mapping[str, Any] = client.get_stage(restApiId=events["RestApiId"], stageName=events["StageName"])
    return stage


def _replacing(method: str, values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"op": "replace", "path": f"/{method}/{name}", "value": value} for name, value in values.items()]


def _patch(client: Any, events: Mapping[str, Any], operations: list[dict[str, str]]) -> None:
    client.update_stage(restApiId=events["RestApiId"], stageName=events["StageName"], patchOperations=operations)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

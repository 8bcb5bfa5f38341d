"""Throttles a stage of an API, and lets it go again."""

from collections.abc import Mapping
from typing import Any

_ALL = "*/*"


def break_it(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Let ``Rate`` requests a second through, ``Burst`` at once; the answer is what ``mend`` needs."""
    import boto3

    client = boto3.client("apigateway")
    stage = client.get_stage(restApiId=events["RestApiId"], stageName=events["StageName"])
    before = stage["methodSettings"][_ALL]
    _set(client, events, rate=events["Rate"], burst=events["Burst"])
    return {"FormerRate": str(before["throttlingRateLimit"]), "FormerBurst": str(before["throttlingBurstLimit"])}


def mend(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Let through what was let through before."""
    import boto3

    _set(boto3.client("apigateway"), events, rate=events["FormerRate"], burst=events["FormerBurst"])
    return {"Mended": f"{events['FormerRate']} requests a second again"}


def _set(client: Any, events: Mapping[str, Any], *, rate: str, burst: str) -> None:
    # https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
    client.update_stage(
        restApiId=events["RestApiId"],
        stageName=events["StageName"],
        patchOperations=[
            {"op": "replace", "path": f"/{_ALL}/throttling/rateLimit", "value": str(rate)},
            {"op": "replace", "path": f"/{_ALL}/throttling/burstLimit", "value": str(burst)},
        ],
    )

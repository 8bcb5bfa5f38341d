"""Who asks, so that nobody gets another's answer by guessing a key."""

from collections.abc import Mapping
from typing import Any


def of(event: Mapping[str, Any]) -> str:
    """The role, API key or subject that API Gateway has let in; the same for all sessions of a role, in every region.

    A key is known by its value, since each region's API Gateway gives it another id. Nobody keeps what this returns in
    clear.
    """
    context = event.get("requestContext") or {}
    identity, authorizer = context.get("identity") or {}, context.get("authorizer") or {}
    claims = authorizer.get("claims") or {}
    arn = identity.get("userArn") or ""
    if ":assumed-role/" in arn:
        arn = arn.rpartition("/")[0]
    subject = claims.get("sub") or authorizer.get("principalId") or ""
    return "|".join((arn, str(subject), identity.get("apiKey") or ""))

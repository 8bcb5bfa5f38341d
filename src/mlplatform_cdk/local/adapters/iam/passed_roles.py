"""``iam:PassRole``: who hands a role to a service must be allowed to, for that service."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlplatform_cdk.local.adapters.iam.calls import Call
from mlplatform_cdk.local.adapters.iam.statements import Need

# The services that take a role, the operations that give them one, and the principal that the role is passed to.
TAKERS = {
    "application-autoscaling": (r"RegisterScalableTarget", "application-autoscaling.amazonaws.com"),
    "cloudformation": (r"(Create|Update|Delete)Stack|CreateChangeSet", "cloudformation.amazonaws.com"),
    "events": (r"PutRule|PutTargets|CreateArchive", "events.amazonaws.com"),
    "firehose": (r"CreateDeliveryStream|UpdateDestination", "firehose.amazonaws.com"),
    "lambda": (r"CreateFunction|UpdateFunctionConfiguration", "lambda.amazonaws.com"),
    "logs": (r"PutSubscriptionFilter|PutDestination", "logs.amazonaws.com"),
    "pipes": (r"(Create|Update)Pipe", "pipes.amazonaws.com"),
    "sagemaker": (r"(Create|Update).*", "sagemaker.amazonaws.com"),
    "scheduler": (r"(Create|Update)Schedule", "scheduler.amazonaws.com"),
    "states": (r"(Create|Update)StateMachine", "states.amazonaws.com"),
}
ROLE = re.compile(r"arn:[^:]+:iam::\d{12}:role/.+")


def of(call: Call) -> Iterator[Need]:
    """One need for each role among the call's parameters."""
    operations, service = TAKERS.get(call.prefix, (None, ""))
    if operations is None or re.fullmatch(operations, call.operation) is None:
        return
    for role in dict.fromkeys(_roles_in(call.parameters)):
        yield Need(action="iam:PassRole", resources=(role,), context={"iam:passedtoservice": [service]})


def _roles_in(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        own = [inner for key, inner in value.items() if "role" in str(key).lower() and _is_role(inner)]
        return own + [found for inner in value.values() for found in _roles_in(inner)]
    return [found for inner in value for found in _roles_in(inner)] if isinstance(value, list) else []


def _is_role(value: object) -> bool:
    return isinstance(value, str) and ROLE.fullmatch(value) is not None

"""What SageMaker's deployment guardrails do here: the old fleet waits behind the new one, and alarms bring it back.

All traffic moves at once, whatever the routing says: shares of a fleet need instances, and here is one process.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.cloudwatch.models import cloudwatch_backends

from mlplatform_cdk.local import clock
from mlplatform_cdk.local.adapters.sagemaker_api import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlplatform_cdk.local.adapters.sagemaker_api import Request, Scope

_POLL_SECONDS = 0.05
_LOGGER = logging.getLogger(__name__)


class RolledBack(Exception):
    """An alarm took an update back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """How long the old fleet waits, and for which alarms.

    :param seconds: by AWS's clock.
    :param alarms: their names.
    """

    seconds: float = 0.0
    alarms: tuple[str, ...] = ()

    @classmethod
    def of(cls, deployment: Request | None) -> Guardrails:
        """Those of UpdateEndpoint's ``DeploymentConfig``."""
        told = deployment or {}
        blue_green: dict[str, Any] = told.get("BlueGreenUpdatePolicy") or {}
        routing = blue_green.get("TrafficRoutingConfiguration") or told.get("RollingUpdatePolicy") or {}
        if routing.get("Type", "ALL_AT_ONCE") != "ALL_AT_ONCE" or "RollingUpdatePolicy" in told:
            _LOGGER.warning("an update by %s moves all traffic at once in a rehearsal", routing.get("Type", "ROLLING"))
        waits = routing.get("WaitIntervalInSeconds", 0) + blue_green.get("TerminationWaitInSeconds", 0)
        alarms = (told.get("AutoRollbackConfiguration") or {}).get("Alarms") or []
        return cls(seconds=float(waits), alarms=tuple(alarm["AlarmName"] for alarm in alarms))

    def hold(self, scope: Scope, is_over: Callable[[], bool]) -> None:
        """Wait while the new fleet answers; ``RolledBack`` when one of the alarms is on.

        :param scope: where the alarms are.
        :param is_over: whether there is nothing left to wait for.
        """
        end = time.monotonic() + clock.real_seconds(self.seconds)
        known = cloudwatch_backends[scope.account][scope.region].alarms
        while True:
            on = [name for name in self.alarms if name in known and known[name].state_value == "ALARM"]
            if on:
                raise RolledBack(f"The following alarms were tripped during the deployment: {', '.join(on)}")
            if is_over() or (left := end - time.monotonic()) <= 0:
                return
            time.sleep(min(_POLL_SECONDS, left))


def refuse_scaled(scope: Scope, endpoint_name: str, before: Request, after: Request) -> None:
    """SageMaker changes no instance type while application auto scaling has the variant.

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html

    :param scope: the account and region.
    :param endpoint_name: the endpoint.
    :param before: its configuration.
    :param after: the one that it is asked to run.
    """
    types = {one["VariantName"]: one.get("InstanceType") for one in before["ProductionVariants"]}
    targets = applicationautoscaling_backends[scope.account][scope.region].targets
    scaled = {
        resource_id.rpartition("/")[2]
        for by_resource in targets.values()
        for resource_id in by_resource
        if resource_id.startswith(f"endpoint/{endpoint_name}/variant/")
    }
    for one in after["ProductionVariants"]:
        name = one["VariantName"]
        if name in scaled and types.get(name) not in (None, one.get("InstanceType")):
            raise ValidationError(
                f"Cannot change the instance type of variant {name} while it is registered as a scalable target: "
                "deregister it first."
            )

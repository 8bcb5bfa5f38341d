"""Acts on events while a release runs: an alarm takes the traffic from green at once, an end starts what is left to do.

The machine looks at the same alarms by itself, and whoever takes a dead release's turn brings it back: these events
only make it quick.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import lock, lock_rows, recovery, stopping
from mlplatform_cdk.release.blue_green.runtime.lock_rows import Row
from mlplatform_cdk.release.blue_green.runtime.state import label_of
from mlplatform_cdk.runtimekit import aws, logs

BUSINESS = "business"
# The metric by which an alarm tells that nothing is tried any more.
NAMESPACE, GIVEN_UP = "MLPlatform/Releases", "GivenUp"
_LOG = logs.logger("guard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What an alarm does to the release that runs.

    :param stops: the execution that ends.
    :param weights: what the weights become before that; empty: there is no blue to give them to, or it has all.
    :param error: how it ends.
    :param more: what is said besides the alarm's own reason.
    """

    stops: str
    weights: tuple[Mapping[str, Any], ...] = ()
    error: str = recovery.ALARM
    more: str = ""


def on_alarm(event: Mapping[str, Any]) -> dict[str, Any]:
    """The step: an alarm rings, so the traffic goes to blue in one call, and then the release ends.

    :param event: ``endpoint_name``, ``alarm`` (its name), ``reason`` (as CloudWatch says it), ``at`` (when it rang) and
        ``alarms`` (the names of those that are watched, by variant or ``business``).
    """
    row = lock.holder(event["endpoint_name"])
    act = act_on(row, concerned_by(event["alarm"], event["alarms"]))
    if act is None or row is None or is_of_before(row, event["at"]) or not lock.is_alive(row):
        return {"stopped": ""}
    try:
        _give(event["endpoint_name"], act.weights)
    finally:  # whatever the weights are, the release does not go on, and its recovery sets them
        stopping.stop(act.stops, act.error, who=event["alarm"], why=f"{event['reason']}{act.more}")
    return {"stopped": act.stops}


def on_end(event: Mapping[str, Any]) -> dict[str, Any]:
    """The step: an execution ended other than well; another one brings back what it left, or retires blue in its place.

    When that was tried often enough, a person is told. One that still waited for its turn leaves the line at once, so
    that it holds up nobody who asks whether the endpoint is free, such as an A/B test.

    :param event: ``endpoint_name``, ``machine_arn``, ``topic_arn`` (empty: nobody is told) and ``ended``:
        ``executionArn``, ``status`` and ``input`` (a text).
    """
    endpoint, row = event["endpoint_name"], lock.holder(event["endpoint_name"])
    ended = {**event["ended"], "input": _mapping(event["ended"]["input"])}
    _leave_line(endpoint, ended["executionArn"])
    requests = (recovery.recovery_of(ended, row), recovery.retirement_of(ended, row))
    started = [_start(event["machine_arn"], ended, one) for one in requests if one is not None]
    if said := recovery.given_up(ended, row, endpoint):
        _tell(endpoint, said, topic=event["topic_arn"])
    return {"started": "".join(started), "given_up": said}


def _leave_line(endpoint: str, dead: str) -> None:
    """Clear the places in the line of an execution that has ended; what it held as the lock is its recovery's."""
    for row in lock_rows.read(endpoint):
        if row.owner == dead and row.at != lock_rows.ROW:
            stopping.write_end(endpoint, dead, version=row.version)
            lock_rows.remove(endpoint, row.at, owner=dead)


def _start(machine_arn: str, ended: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    """Start an execution; the same one again is none, since EventBridge delivers at least once."""
    digest = hashlib.sha256(ended["executionArn"].encode()).hexdigest()[:32]
    states, name = aws.client("stepfunctions"), f"{request['action']}-{digest}"
    try:
        states.start_execution(stateMachineArn=machine_arn, name=name, input=json.dumps(request))
    except states.exceptions.ExecutionAlreadyExists:
        return ""
    return name


def _tell(endpoint: str, said: str, *, topic: str) -> None:
    """Let an alarm ring, and say why to people, where there is a topic for that."""
    _LOG.error("gave up", extra={"endpoint": endpoint, "reason": said})
    aws.client("cloudwatch").put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[
            {
                "MetricName": GIVEN_UP,
                "Dimensions": [{"Name": "EndpointName", "Value": endpoint}],
                "Value": 1.0,
                "Unit": "Count",
            }
        ],
    )
    if topic:
        aws.client("sns").publish(TopicArn=topic, Subject=f"{endpoint} needs a person"[:99], Message=said)


def concerned_by(alarm: str, alarms: Mapping[str, Any]) -> str:
    """Whose alarm it is: a variant's, ``business``, or empty: nobody's. Pure."""
    return next((whose for whose, names in alarms.items() if alarm in names), "")


def is_of_before(row: Row, at: str) -> bool:
    """Did it ring before who holds the lock had it? An event that comes late, or again, is about another release. Pure.

    :param row: who holds the lock now.
    :param at: when it rang, ISO-8601 of whole seconds.
    """
    return datetime.fromisoformat(at) < row.since.replace(microsecond=0)


def act_on(row: Row | None, whose: str) -> Act | None:
    """What an alarm does; None: nothing, as no release puts traffic at risk, or it is not its green's alarm. Pure.

    :param row: who holds the lock.
    :param whose: a variant, or ``business``.
    """
    if row is None or not row.plan or "green" not in row.plan:
        return None
    plan = row.plan
    # A rollback after blue's end is a release of the version before, and watched like one.
    if row.action != lock.RELEASE and (row.action != lock.ROLLBACK or plan.get("way") not in recovery.RELEASING):
        return None
    green, blue = plan["green"]["variant"], plan["blue"]
    # What rings of the business is why people roll back.
    concerned = (green,) if row.action == lock.ROLLBACK else (green, BUSINESS)
    if plan.get("finishing") or whose not in concerned:
        return None
    if whose == BUSINESS and not plan.get("shifted", True):
        more = f"; {stopping.not_to_blame(label_of(row.version))}"
        return Act(stops=row.owner, error=stopping.EARLY_ALARM, more=more)
    if not blue["exists"]:
        return Act(stops=row.owner)
    weights = (
        {"VariantName": blue["variant"], "DesiredWeight": blue["weight"]},
        {"VariantName": green, "DesiredWeight": 0.0},
    )
    return Act(stops=row.owner, weights=weights)


def _give(endpoint: str, weights: tuple[Mapping[str, Any], ...]) -> None:
    """Set the weights; where the endpoint cannot take them now, the way back does it when it can."""
    if not weights:
        return
    sagemaker = aws.client("sagemaker")
    try:
        sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=endpoint, DesiredWeightsAndCapacities=[dict(one) for one in weights]
        )
    except sagemaker.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        _LOG.warning("the weights could not be set", extra={"endpoint": endpoint, "reason": str(error)})


def _mapping(text: str | None) -> Mapping[str, Any]:
    """The input of an execution, which may be anything."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, Mapping) else {}

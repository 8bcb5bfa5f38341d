"""The audit record of releases: one item per step in a table that outlives its stack, and one event on the bus.

The same table holds an endpoint's lock (``lock#<endpoint>``) and its open gate (``gate#<endpoint>``), so that what is
true of a release stands in one place.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from mlplatform_cdk.runtimekit import aws, settings

# The environment variables of the functions that write and read records.
TABLE_VARIABLE, BUS_VARIABLE = "RELEASE_RECORDS_TABLE", "RELEASE_EVENT_BUS"
# The table's key, and the attribute by which DynamoDB removes what is only there against writing twice.
PARTITION_KEY, SORT_KEY, EXPIRY = "endpoint", "at", "remove_at"
# Under this name the metrics of a record say which dead execution's release is brought back or completed by this one.
LEFT_BY = "left_by"
SOURCE, DETAIL_TYPE = "mlplatform.release", "Release Step"
_ONCE = "once#"
_KEEP_MARKERS = timedelta(days=400)  # an execution lives for a year at most
_LONGEST_REASON = 4096


class EventNotTaken(Exception):
    """The bus refused an event; the record is written, and writing it again sends the event again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One step of a release: who did what, when, on which facts.

    :param endpoint: its name.
    :param at: when, ISO-8601 in UTC with microseconds.
    :param release: the ARN of the execution.
    :param version: the ARN of the model package; empty: none was known yet.
    :param step: what was done, such as ``Shift``.
    :param who: the person, or the part of the machine, that decided.
    :param decision: what was decided, such as ``shift to 20 %``.
    :param reason: why; empty: it needs none.
    :param percent: green's share of the traffic after it; None: the step says nothing about traffic.
    :param metrics: what was known; empty: nothing was measured.
    """

    endpoint: str
    at: str
    release: str
    version: str
    step: str
    who: str
    decision: str
    reason: str = ""
    percent: float | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        """``at`` as a time."""
        return datetime.fromisoformat(self.at)

    def to_mapping(self) -> dict[str, Any]:
        """As an event carries it; the metrics are JSON in a string, so that rules match on the other fields."""
        return asdict(self) | {"metrics": json.dumps(dict(self.metrics), sort_keys=True, default=str)}

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> "Record":
        """What ``to_mapping`` gave."""
        return cls(**{**value, "metrics": json.loads(value.get("metrics") or "{}")})


def keys_of(endpoint: str) -> list[str]:
    """The partition keys of all that the table has of an endpoint."""
    return [*record_keys_of(endpoint), f"lock#{endpoint}", f"gate#{endpoint}"]


def record_keys_of(endpoint: str) -> list[str]:
    """The partition keys of an endpoint's records, and of what keeps them from being written twice."""
    return [endpoint, f"{_ONCE}{endpoint}"]


def record(  # noqa: PLR0913 - a record is its fields
    table: str,
    *,
    endpoint: str,
    release: str,
    version: str,
    step: str,
    who: str,
    decision: str,
    reason: str = "",
    percent: float | None = None,
    metrics: Mapping[str, Any] | None = None,
    sequence: str | int = 0,
    moment: datetime | None = None,
) -> Record:
    """Write the record of ``step`` once, and send its event; a repeated call gives back what was written first.

    :param table: the table's name.
    :param endpoint: see ``Record``, as for the other fields.
    :param sequence: tells two records of the same step of one release apart, such as the number of a look; default: 0.
    :param moment: when it was decided; default: now.
    :raises EventNotTaken: when the bus refuses the event.
    """
    once = _once(endpoint, release, step, sequence)
    marker = _claim(table, once, moment or datetime.now(UTC))
    made = Record(
        endpoint=endpoint,
        at=marker["record_at"],
        release=release,
        version=version,
        step=step,
        who=who,
        decision=decision,
        reason=reason[:_LONGEST_REASON],
        percent=percent,
        metrics=dict(metrics or {}),
    )
    if not put_new(table, made.to_mapping()):
        written = read(table, endpoint, made.at)
        made = Record.from_mapping(written) if written else made
    if not marker.get("told"):
        _tell(made)
        put(table, {**marker, "told": True})
    return made


def is_recorded(table: str, *, endpoint: str, release: str, step: str, sequence: str | int = 0) -> bool:
    """Was this record written, or begun, before.

    :param table: the table's name.
    :param endpoint: see ``record``, as for the other parameters.
    """
    return read(table, *_once(endpoint, release, step, sequence).values()) is not None


def history(table: str, endpoint: str, release: str | None = None, *, newest: int | None = None) -> list[Record]:
    """The records of ``endpoint``, oldest first.

    :param table: the table's name.
    :param endpoint: its name.
    :param release: only those of this execution; default: of all.
    :param newest: only so many, the newest; default: all.
    """
    found = (one for one in _backwards(table, endpoint) if release is None or one.release == release)
    return [*islice(found, newest)][::-1]


def whole(table: str, endpoint: str, release: str) -> list[Record]:
    """The records of a release from its beginning, also where another execution had to bring it back or complete it."""
    own = history(table, endpoint, release)
    dead = next((one.metrics[LEFT_BY] for one in own if LEFT_BY in one.metrics), None)
    return own if dead is None or dead == release else [*whole(table, endpoint, dead), *own]


def read(table: str, partition: str, sort: str) -> dict[str, Any] | None:
    """The item of this key, or None."""
    key = to_item({PARTITION_KEY: partition, SORT_KEY: sort})
    item = aws.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    return None if item is None else from_item(item)


def put(table: str, value: Mapping[str, Any]) -> None:
    """Write an item, whatever was there."""
    aws.client("dynamodb").put_item(TableName=table, Item=to_item(value))


def put_new(table: str, value: Mapping[str, Any]) -> bool:
    """Write an item where none of its key is; False: there was one, and it stays."""
    client = aws.client("dynamodb")
    try:
        client.put_item(
            TableName=table,
            Item=to_item(value),
            ConditionExpression="attribute_not_exists(#key)",
            ExpressionAttributeNames={"#key": PARTITION_KEY},
        )
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def to_item(value: Mapping[str, Any]) -> dict[str, Any]:
    """``value`` as DynamoDB's API takes it; None is left out."""
    return {name: _attribute(one) for name, one in value.items() if one is not None}


def from_item(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What ``to_item`` made of a value."""
    return {name: _value(one) for name, one in item.items()}


def table_name() -> str:
    """The table of the functions' environment."""
    return settings.required(TABLE_VARIABLE)


def _once(endpoint: str, release: str, step: str, sequence: str | int) -> dict[str, str]:
    """The key of a record's marker."""
    return {PARTITION_KEY: f"{_ONCE}{endpoint}", SORT_KEY: f"{release}#{step}#{sequence}"}


def _claim(table: str, once: Mapping[str, str], moment: datetime) -> dict[str, Any]:
    """The marker of a record: it holds the record's time from the first try on, so that every try writes one key."""
    marker = {
        **once,
        "record_at": moment.isoformat(timespec="microseconds"),
        EXPIRY: int((moment + _KEEP_MARKERS).timestamp()),
    }
    return marker if put_new(table, marker) else read(table, once[PARTITION_KEY], once[SORT_KEY]) or marker


def _tell(made: Record) -> None:
    answer = aws.client("events").put_events(
        Entries=[
            {
                "Source": SOURCE,
                "DetailType": DETAIL_TYPE,
                "Resources": [one for one in (made.release, made.version) if one.startswith("arn:")],
                "Detail": json.dumps(made.to_mapping()),
                "EventBusName": settings.optional(BUS_VARIABLE, "default"),
                "Time": made.moment,
            }
        ]
    )
    if answer["FailedEntryCount"]:
        refused = answer["Entries"][0]
        raise EventNotTaken(f"the event of {made.step}: {refused.get('ErrorCode')}: {refused.get('ErrorMessage')}")


def _backwards(table: str, endpoint: str) -> Iterator[Record]:
    pages = (
        aws.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=table,
            KeyConditionExpression="#key = :endpoint",
            ExpressionAttributeNames={"#key": PARTITION_KEY},
            ExpressionAttributeValues=to_item({":endpoint": endpoint}),
            ScanIndexForward=False,
            ConsistentRead=True,
        )
    )
    for page in pages:
        for item in page["Items"]:
            yield Record.from_mapping(from_item(item))


def _attribute(value: object) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int | float):
        return {"N": repr(value)}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, Sequence):
        return {"L": [_attribute(one) for one in value]}
    raise TypeError(f"a record holds texts, numbers, flags and lists of them, got {type(value).__name__}")


def _value(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    if kind == "N":
        return float(value) if "." in value or "e" in value.lower() else int(value)
    return [_value(one) for one in value] if kind == "L" else value

"""The verdict's row: what Route 53 and people see, the memory of the rules, and who may write.

One function runs at a time and a bit: each that starts takes the row, and the one before it finds that at its next
verdict, and ends. So no minute's end leaves a gap, and no late event does.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.region_health import NEW_REGION, HealthState, Verdict

PARTITION_KEY = "endpoint"
_PATIENCE_S = 3
_ATTEMPTS = 2  # the next round is a further one, and a verdict counts for three of them
_LONGEST_REASON = 1000


class Superseded(Exception):
    """Another run of the probe has taken the row."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Who drained the region, why and since when; ``by`` is empty where nobody did."""

    by: str = ""
    reason: str = ""

    def __bool__(self) -> bool:
        """Whether the region is drained."""
        return bool(self.by)


class VerdictRow:
    """One endpoint's row.

    :param table: the table's name.
    :param endpoint: its key.
    :param runner: names this run, and no other.
    """

    def __init__(self, table: str, endpoint: str, runner: str) -> None:
        self._table, self._endpoint, self._runner = table, endpoint, runner

    def claim(self, now_ms: int) -> tuple[HealthState, Drain]:
        """Take the row, and give what the run before left in it.

        :raises Superseded: when a run that began later has it.
        """
        item = self._update(
            "SET runner = :me, runner_since = :now",
            {":me": {"S": self._runner}, ":now": {"N": str(now_ms)}},
            "attribute_not_exists(runner_since) OR runner_since <= :now",
        )
        memory = item.get("memory", {}).get("S")
        return HealthState.from_mapping(json.loads(memory)) if memory else NEW_REGION, _drain_of(item)

    def publish(self, state: HealthState, verdict: Verdict, *, label: str) -> Drain:
        """Write a verdict, and give who drains the region by then.

        :param state: the memory after it.
        :param verdict: what is published.
        :param label: what people call the version.
        :raises Superseded: when another run has taken the row.
        """
        texts = {
            "status": verdict.status,
            "golden": verdict.golden.value,
            "version": verdict.version,
            "label": label,
            "reason": verdict.reason[:_LONGEST_REASON],
            "bad_version": verdict.bad_version,
            "body": json.dumps(verdict.body()),
            "memory": json.dumps(state.to_mapping()),
        }
        values: dict[str, Mapping[str, str]] = {f":{name}": {"S": text} for name, text in texts.items()}
        values[":since"] = {"N": str(verdict.since_ms)}
        values[":valid_until"] = {"N": str(verdict.valid_until_ms)}
        # All of them by placeholders, since some are reserved words of DynamoDB.
        names = [*texts, "since", "valid_until"]
        sets = ", ".join(f"#{name} = :{name}" for name in names)
        item = self._update(
            f"SET {sets}",
            {**values, ":me": {"S": self._runner}},
            "runner = :me",
            {f"#{name}": name for name in names},
        )
        return _drain_of(item)

    def _update(
        self,
        expression: str,
        values: Mapping[str, Mapping[str, str]],
        condition: str,
        names: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        dynamodb = aws.client("dynamodb", patience_s=_PATIENCE_S, attempts=_ATTEMPTS)
        named = {"ExpressionAttributeNames": dict(names)} if names else {}
        try:
            answer = dynamodb.update_item(
                TableName=self._table,
                Key={PARTITION_KEY: {"S": self._endpoint}},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                **named,
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            raise Superseded from None
        attributes: Mapping[str, Any] = answer["Attributes"]
        return attributes


def _drain_of(item: Mapping[str, Any]) -> Drain:
    if "drain" not in item:
        return Drain()
    told = item["drain"].get("M", {})
    return Drain(by=told.get("by", {}).get("S", "") or "somebody", reason=told.get("reason", {}).get("S", ""))

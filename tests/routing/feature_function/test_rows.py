"""Which rows does a request get, and what if the table is busy?"""

from typing import Any

import pytest

from mlplatform_cdk.routing.feature_function.runtime import rows, tables
from mlplatform_cdk.routing.feature_function.runtime.reply import Refused
from mlplatform_cdk.runtimekit import aws


class Table:
    """Gives what it has, one key at a time where it is busy."""

    def __init__(self, *, at_once: int = 100) -> None:
        self.at_once, self.reads = at_once, 0

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        self.reads += 1
        ((name, asked),) = RequestItems.items()
        now, later = asked["Keys"][: self.at_once], asked["Keys"][self.at_once :]
        found = [key | {"amounts": {"L": [{"N": "1"}, {"N": "2.5"}]}} for key in now if key["customer"]["S"] != "c-0"]
        return {"Responses": {name: found}, "UnprocessedKeys": {name: {"Keys": later}} if later else {}}


def in_time() -> float:
    return 25.0


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    made = Table()
    monkeypatch.setenv("FEATURE_TABLE", "customers")
    monkeypatch.setenv("FEATURE_KEYS", "customer day")
    monkeypatch.setattr(aws, "client", lambda service, **_: {"dynamodb": made}[service])
    monkeypatch.setattr(rows, "_PAUSE_S", 0)
    return made


def test_rows_are_found_by_both_keys_and_numbers_are_plain_wherever_they_are(table: Table) -> None:
    found = rows.read([("c-1", "monday"), ("c-0", "monday"), ("c-1", "monday")], in_time)

    assert found == {
        ("c-1", "monday"): {"customer": "c-1", "day": "monday", "amounts": [1, 2.5]},
        ("c-0", "monday"): None,
    }
    assert table.reads == 1


def test_keys_that_were_not_answered_are_asked_for_again_and_in_the_end_the_caller_is_told(table: Table) -> None:
    table.at_once = 1

    assert len(rows.read([("c-1", str(day)) for day in range(4)], in_time)) == 4
    assert table.reads == 4
    with pytest.raises(Refused, match="too busy") as refused:
        rows.read([("c-1", str(day)) for day in range(6)], in_time)
    assert (refused.value.reply.status, refused.value.reply.headers) == (503, {"Retry-After": "1"})


def test_a_busy_table_is_asked_no_more_where_the_answer_would_come_too_late(table: Table) -> None:
    table.at_once = 1

    with pytest.raises(Refused, match="too busy"):
        rows.read([("c-1", str(day)) for day in range(4)], lambda: tables.LONGEST_S - 0.1)
    assert table.reads == 1


def test_no_keys_read_nothing_and_too_many_are_refused(table: Table) -> None:
    assert rows.read([], in_time) == {}
    with pytest.raises(Refused, match="100 rows"):
        rows.read([("c-1", str(day)) for day in range(101)], in_time)
    assert table.reads == 0

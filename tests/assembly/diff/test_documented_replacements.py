"""The packaged list beside the registry: is each entry still needed?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly.diff import Action, schemas
from mlplatform_cdk.assembly.diff.schemas import Effect, Schema, schema_of
from tests.assembly.diff.stacks import changed, difference, found, resource, template

GUIDE = json.loads(Path(schemas.__file__).with_name("documented_replacements.json").read_text())
LISTED, CERTAIN = GUIDE["types"], GUIDE["certain"]["types"]
TABLE = template(
    X=resource(
        "AWS::DynamoDB::Table",
        {
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "day", "AttributeType": "S"},
            ],
            "LocalSecondaryIndexes": [{"IndexName": "by-day"}],
        },
    )
)
WITH_A_RANGE = [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "day", "KeyType": "RANGE"}]
ONE_MORE = [
    *TABLE["Resources"]["X"]["Properties"]["AttributeDefinitions"],
    {"AttributeName": "owner", "AttributeType": "S"},
]


def test_the_registry_knows_every_property_of_the_list_and_does_not_say_the_same() -> None:
    for kind, names in LISTED.items():
        document = schema_of(kind)._document

        assert set(names) <= set(document["properties"]), kind
        assert {Schema(document).effect((name,), "a", "b") for name in names} == {Effect.UPDATE}, kind


def test_the_registry_knows_every_property_that_certainly_replaces_and_says_less() -> None:
    for kind, names in CERTAIN.items():
        document = schema_of(kind)._document

        assert {name.partition("/")[0] for name in names} <= set(document["properties"]), kind
        for name in names:
            assert Schema(document).effect(tuple(name.split("/")), "a", "b") is not Effect.REPLACE, f"{kind} {name}"
            assert schema_of(kind).effect(tuple(name.split("/")), "a", "b") is Effect.REPLACE, f"{kind} {name}"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("KeySchema.0.AttributeName", "day", id="another key"),
        pytest.param("KeySchema", WITH_A_RANGE, id="a sort key"),
        pytest.param("AttributeDefinitions.0.AttributeType", "N", id="another type of an attribute"),
        pytest.param("LocalSecondaryIndexes.0.IndexName", "by-week", id="another local index"),
    ],
)
def test_a_table_with_another_key_is_replaced_and_its_data_is_lost(path: str, value: Any) -> None:
    after = changed(TABLE, f"Properties.{path}", value)

    assert [change.action for change in difference(TABLE, after).changes] == [Action.REPLACED]
    assert ("data-lost", "error") in [(one.rule, one.severity.value) for one in found(TABLE, after)]


def test_a_table_with_one_more_attribute_is_updated() -> None:
    after = changed(TABLE, "Properties.AttributeDefinitions", ONE_MORE)

    assert [change.action for change in difference(TABLE, after).changes] == [Action.CHANGED]


def test_a_property_given_for_the_first_time_only_may_replace() -> None:
    before = changed(TABLE, "Properties.KeySchema", None)

    assert [change.action for change in difference(before, TABLE).changes] == [Action.MAY_BE_REPLACED]

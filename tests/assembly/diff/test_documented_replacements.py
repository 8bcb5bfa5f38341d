"""The packaged list beside the registry: is each entry still needed?"""

from __future__ import annotations

import json
from pathlib import Path

from mlplatform_cdk.assembly.diff import schemas
from mlplatform_cdk.assembly.diff.schemas import Effect, Schema, schema_of

LISTED = json.loads(Path(schemas.__file__).with_name("documented_replacements.json").read_text())["types"]


def test_the_registry_knows_every_property_of_the_list_and_does_not_say_the_same() -> None:
    for kind, names in LISTED.items():
        document = schema_of(kind)._document

        assert set(names) <= set(document["properties"]), kind
        assert {Schema(document).effect((name,), "a", "b") for name in names} == {Effect.UPDATE}, kind

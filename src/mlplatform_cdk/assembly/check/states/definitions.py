"""The state machines of a template as CloudFormation would deploy them, their references filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mlplatform_cdk.assembly.check.loose import mapping
from mlplatform_cdk.assembly.check.references import References, mark, quoted_marks

MACHINE = "AWS::StepFunctions::StateMachine"
ReadAsset = Callable[[str], str | None]


def definitions(
    references: References, read_asset: ReadAsset = lambda _key: None
) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """Logical id and definition of each state machine, or the sentence that says why it cannot be read.

    :param read_asset: the text of the file asset with this key, for definitions which lie in S3.
    """
    for name, resource in references.template.get("Resources", {}).items():
        if mapping(resource).get("Type") == MACHINE:
            yield name, _definition(references, mapping(resource.get("Properties")), read_asset)


def _definition(references: References, properties: Mapping[str, Any], read_asset: ReadAsset) -> dict[str, Any] | str:
    if isinstance(properties.get("Definition"), Mapping):
        found: dict[str, Any] = filled(references, properties["Definition"])
        return found
    if "DefinitionS3Location" in properties:
        text = read_asset(references.text(properties["DefinitionS3Location"].get("Key", "")))
        if text is None:
            return "the definition lies in S3, outside the assembly"
    else:
        text = references.text(properties.get("DefinitionString", ""))
    named = properties.get("DefinitionSubstitutions", {})
    text = re.sub(
        r"\$\{(\w+)\}", lambda found: references.text(named[found[1]]) if found[1] in named else found[0], text
    )
    try:
        document = json.loads(quoted_marks(text))
    except json.JSONDecodeError as error:
        return f"the definition is not JSON: {error}"
    return document if isinstance(document, dict) else "the definition must be a JSON object"


def filled(references: References, value: Any) -> Any:
    """``value`` as CloudFormation would deploy it, its references texts."""
    if isinstance(value, Mapping):
        if len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")):
            return references.text(value)
        return {key: filled(references, item) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(references, item) for item in value]
    return mark("nothing") if value is None else value

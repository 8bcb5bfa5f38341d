"""What a target is given: the event, a part of it, a constant, or a template filled with parts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"\.([A-Za-z0-9_$-]+)|\['([^']+)'\]|\[\"([^\"]+)\"\]|\[(\d+)\]")
_HOLE = re.compile(r"<([^<>]+)>")


def body_of(target: Mapping[str, Any], event: Mapping[str, Any], reserved: Mapping[str, Any]) -> str:
    """The text that ``target`` receives for ``event``.

    :param target: the rule's target.
    :param event: the event.
    :param reserved: EventBridge's own variables, such as ``aws.events.rule-arn``.
    """
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath"):
        return json.dumps(at(event, target["InputPath"]))
    transformer = target.get("InputTransformer")
    if not transformer:
        return json.dumps(event)
    paths: Mapping[str, str] = transformer.get("InputPathsMap") or {}
    values = {name: at(event, path) for name, path in paths.items()} | dict(reserved)
    return _filled(str(transformer["InputTemplate"]), values)


def at(event: Any, path: str) -> Any:
    """The part of ``event`` that a JSON path names; None where it has none."""
    position = 1
    while position < len(path) and event is not None:
        step = _STEP.match(path, position)
        if step is None:
            raise ValueError(f"the path {path!r} is none that EventBridge takes")
        key = step[1] or step[2] or step[3]
        try:
            event = event[key] if key is not None else event[int(step[4])]
        except (KeyError, IndexError, TypeError):
            return None
        position = step.end()
    return event


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """A hole between quotes takes the bare text, one that stands alone takes JSON."""

    def fill(found: re.Match[str]) -> str:
        if found[1] not in values:
            return found[0]
        value = values[found[1]]
        if _is_quoted(template, found.start()):
            text = value if isinstance(value, str) else json.dumps(value)
            return "" if value is None else json.dumps(text)[1:-1]
        return json.dumps(value)

    text = _HOLE.sub(fill, template)
    try:
        return json.dumps(json.loads(text))
    except ValueError:
        return text


def _is_quoted(template: str, position: int) -> bool:
    return len(re.findall(r'(?<!\\)"', template[:position])) % 2 == 1

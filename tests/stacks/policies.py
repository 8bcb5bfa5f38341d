"""The statements of a template's policies, and their resources as people write them down."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stacks.environments import PlatformEnvironment
from tests.stacks.conftest import Platform, StackTemplate


@dataclass(frozen=True)
class Statement:
    """One statement of one policy of one stack."""

    stack: str
    logical_id: str
    type: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    unusual: frozenset[str]


def statements(platform: Platform) -> Iterator[Statement]:
    for stack in platform.stacks.values():
        for logical_id, resource in stack.resources():
            for one in _within(resource.get("Properties", {})):
                yield Statement(
                    stack=stack.name,
                    logical_id=logical_id,
                    type=resource["Type"],
                    effect=one["Effect"],
                    actions=tuple(_listed(one.get("Action", ()))),
                    resources=tuple(
                        _name(arn, stack, platform.environment) for arn in _listed(one.get("Resource", ()))
                    ),
                    unusual=frozenset(one) & {"NotAction", "NotResource", "NotPrincipal"},
                )


def _within(value: Any) -> Iterator[Mapping[str, Any]]:
    """Statements wherever they stand: documents have a name of their own in every service."""
    if isinstance(value, Mapping):
        if isinstance(value.get("Statement"), list):
            yield from value["Statement"]
        for inner in value.values():
            yield from _within(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _within(inner)
    elif isinstance(value, str):
        assert '"Statement"' not in value, f"a policy as text is not reviewed: {value}"


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _name(arn: Any, stack: StackTemplate, environment: PlatformEnvironment) -> str:
    """The ARN with ``{account}``, ``{region}`` and ``{environment}`` for what differs between environments."""
    text = _flat(arn, stack.template.get("Parameters", {}))
    text = text.replace(environment.account, "{account}").replace(stack.region, "{region}")
    return re.sub(rf"\b{environment.name}-", "{environment}-", text)


def _flat(value: Any, parameters: Mapping[str, Any]) -> str:
    match value:
        case str():
            return value
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(_flat(part, parameters) for part in parts)
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]*)\}", r"<\1>", text)
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{resource}.{attribute}>"
        case {"Ref": name}:
            published = parameters.get(name, {}).get("Default", name)
            return f"<{published.rpartition('/')[2]}>"
        case {"Fn::Select": [index, {"Fn::Split": [_, source]}]}:
            return f"{_flat(source, parameters)}[{index}]"
    raise AssertionError(f"no name for {json.dumps(value)}")

"""CloudFormation's functions and references, resolved strictly: what is unknown is an error, never left as it is."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudformation import dynamic_references
from mlplatform_cdk.local.adapters.cloudformation.resource import CannotProvision, Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")
_NOTHING = object()
_FUNCTION = "Fn::"


@dataclass(slots=True)
class Scope:
    """What names stand for in one stack."""

    template: dict[str, Any]
    pseudo: dict[str, Any]
    parameters: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    exports: Mapping[str, Any] = field(default_factory=dict)

    def resolve(self, value: Any) -> Any:
        """``value`` with every function and reference replaced by what it stands for."""
        resolved = self._resolve(value)
        return None if resolved is _NOTHING else resolved

    def holds(self, condition: str) -> bool:
        """Whether the template's ``condition`` is true."""
        conditions = self.template.get("Conditions", {})
        if condition not in conditions:
            raise CannotProvision(f"Unresolved condition dependency {condition}")
        return bool(self._condition(conditions[condition]))

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._resolve, value) if item is not _NOTHING]
        if isinstance(value, str):
            return dynamic_references.replaced(value, self.pseudo["AWS::Region"]) if "{{resolve:" in value else value
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref":
                return self._ref(argument)
            if name.startswith(_FUNCTION):
                return self._call(name, argument)
        resolved = {key: self._resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NOTHING}

    def _call(self, name: str, argument: Any) -> Any:
        functions: dict[str, Callable[[Any], Any]] = {
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": lambda a: a[0].join(_text(item) for item in self._resolve(a[1])),
            "Fn::Split": lambda a: str(self._resolve(a[1])).split(a[0]),
            "Fn::Select": self._select,
            "Fn::If": lambda a: self._resolve(a[1] if self.holds(a[0]) else a[2]),
            "Fn::FindInMap": self._find_in_map,
            "Fn::ImportValue": self._import,
            "Fn::GetAZs": lambda a: [f"{self._resolve(a) or self.pseudo['AWS::Region']}{zone}" for zone in "abc"],
            "Fn::Base64": lambda a: base64.b64encode(str(self._resolve(a)).encode()).decode(),
            "Fn::ToJsonString": lambda a: json.dumps(self._resolve(a), separators=(",", ":")),
            "Fn::Length": lambda a: len(self._resolve(a)),
        }
        if name not in functions:
            raise CannotProvision(f"the embedded AWS has no function {name}")
        return functions[name](argument)

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        for values in (self.pseudo, self.parameters):
            if name in values:
                return values[name]
        if name in self.resources:
            return self.resources[name].physical_resource_id
        raise CannotProvision(f"Unresolved resource dependency [{name}]")

    def _get_att(self, argument: str | list[Any]) -> Any:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        resource = self.resources.get(logical_id)
        if resource is None:
            raise CannotProvision(f"Unresolved resource dependency [{logical_id}]")
        attribute = str(self._resolve(attribute))
        try:
            return resource.kind.attribute(resource, attribute)
        except KeyError:
            raise CannotProvision(
                f"the embedded AWS knows no attribute {attribute} of {logical_id} ({resource.cf_resource_type})"
            ) from None

    def _sub(self, argument: str | list[Any]) -> str:
        text, given = (argument, {}) if isinstance(argument, str) else argument

        def value(match: re.Match[str]) -> str:
            is_literal, name = match.groups()
            if is_literal:
                return "${" + name + "}"
            if name in given:
                return _text(self._resolve(given[name]))
            return _text(self._get_att(name) if "." in name else self._ref(name))

        return str(self._resolve(_PLACEHOLDER.sub(value, text)))

    def _select(self, argument: list[Any]) -> Any:
        index, items = int(self._resolve(argument[0])), self._resolve(argument[1])
        if not 0 <= index < len(items):
            raise CannotProvision(f"Fn::Select cannot select nonexistent value at index {index}")
        return items[index]

    def _find_in_map(self, argument: list[Any]) -> Any:
        value: Any = self.template.get("Mappings", {})
        path = [str(self._resolve(part)) for part in argument[:3]]
        for part in path:
            if part not in value:
                if len(argument) > 3 and "DefaultValue" in argument[3]:  # noqa: PLR2004 -- map, key, key, default
                    return self._resolve(argument[3]["DefaultValue"])
                raise CannotProvision(f"Unable to get mapping for {'::'.join(path)}")
            value = value[part]
        return value

    def _import(self, argument: Any) -> Any:
        name = self._resolve(argument)
        if name not in self.exports:
            raise CannotProvision(f"No export named {name} found")
        return self.exports[name].value

    def _condition(self, condition: Any) -> Any:
        if not isinstance(condition, dict):
            return condition
        name, argument = next(iter(condition.items()))
        if name == "Condition":
            return self.holds(argument)
        if name == "Fn::Not":
            return not self._condition(argument[0])
        if name == "Fn::And":
            return all(map(self._condition, argument))
        if name == "Fn::Or":
            return any(map(self._condition, argument))
        if name == "Fn::Equals":
            left, right = (self._resolve(side) for side in argument)
            return _text(left) == _text(right)
        raise CannotProvision(f"the embedded AWS has no condition function {name}")


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)

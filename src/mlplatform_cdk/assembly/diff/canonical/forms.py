"""The one form of a template's values: intrinsic functions resolved as far as they can be, the rest as marked text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.canonical import logic, policies, text
from mlplatform_cdk.assembly.diff.canonical.branches import NO_VALUE
from mlplatform_cdk.assembly.diff.canonical.conditions import condition
from mlplatform_cdk.assembly.diff.canonical.text import Part, Surroundings, Token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplatform_cdk.assembly.diff.sources import Source

_TEXTS = {"Ref", "Fn::GetAtt", "Fn::Join", "Fn::Sub"}
_SCALARS = (str, bool, int, float)
_SSM = "AWS::SSM::Parameter::Value"
_LISTS = ("CommaDelimitedList", "List<")


class Forms:
    """Gives the one form of any value in one template.

    :param renamed: logical ids that are to be read as others; default: none.
    """

    def __init__(self, source: Source, renamed: Mapping[str, str] | None = None) -> None:
        self._parameters: Mapping[str, Any] = source.template.get("Parameters") or {}
        self._mappings: Mapping[str, Any] = source.template.get("Mappings") or {}
        self._conditions: Mapping[str, Any] = source.template.get("Conditions") or {}
        self._settled = source.settled
        self._open = source.passed.keys() - self._settled.keys()
        self._renamed = renamed or {}
        self.surroundings = Surroundings(source.account, source.region, source.name)

    def value(self, raw: Any) -> Any:
        """The one form: scalars as text, texts with marks, members without a value gone."""
        match raw:
            case dict() if len(raw) == 1 and _is_intrinsic(next(iter(raw))):
                return self._intrinsic(*next(iter(raw.items())))
            case dict():
                members = {str(name): self.value(member) for name, member in raw.items()}
                kept = {name: member for name, member in members.items() if member != NO_VALUE}
                return policies.normal(kept) if policies.is_policy(kept) else kept
            case list():
                return [value for member in raw if (value := self.value(member)) != NO_VALUE]
            case None:
                return None
            case _:
                return self._text([_scalar(raw)])

    def condition(self, expression: Any) -> Any:
        """The condition's one form; ``True`` or ``False`` where that is certain."""
        return condition(expression, self._conditions, self.value)

    def name(self, logical_id: str) -> str:
        """The logical id as it is to be read."""
        return self._renamed.get(logical_id, logical_id)

    def _text(self, parts: list[Part]) -> Any:
        parsed = text.document(parts, self.surroundings)
        if parsed is None:
            return text.flat(parts, self.surroundings)
        return policies.normal(parsed) if policies.is_policy(parsed) else parsed

    def _intrinsic(self, function: str, argument: Any) -> Any:
        if function in _TEXTS:
            return self._text(self._parts({function: argument}))
        match function, argument:
            case "Fn::If", [name, yes, no]:
                return self._if(self.condition(name), yes, no)
            case "Fn::FindInMap", [name, first, second]:
                return self._find(name, self.value(first), self.value(second))
        return _applied(function, self.value(argument))

    def _parts(self, raw: Any) -> list[Part]:
        """The value as pieces of a text."""
        match raw:
            case {"Ref": name}:
                return self._reference(name) if isinstance(name, str) else [Token(_token("Ref", self.value(name)))]
            case {"Fn::GetAtt": path}:
                return [self._attribute(path)]
            case {"Fn::Join": [str(delimiter), list(members)]}:
                return self._joined(delimiter, members)
            case {"Fn::Join": argument}:
                return [Token(_token("Fn::Join", self.value(argument)))]
            case {"Fn::Sub": argument}:
                return self._substituted(argument)
        return [_scalar(raw) if isinstance(raw, _SCALARS) else Token(_plain(self.value(raw)))]

    def _substituted(self, argument: Any) -> list[Part]:
        match argument:
            case str(template) | [str(template)]:
                return text.of_sub(template, lambda name: self._named(name, {}))
            case [str(template), dict(values)]:
                return text.of_sub(template, lambda name: self._named(name, values))
        return [Token(_token("Fn::Sub", self.value(argument)))]

    def _attribute(self, path: Any) -> Token:
        match path:
            case str():
                name, _, attribute = path.partition(".")
            case [str(name), attribute]:
                pass
            case _:
                return Token(_token("Fn::GetAtt", self.value(path)))
        return Token(f"${{{self.name(name)}.{_plain(self.value(attribute))}}}")

    def _joined(self, delimiter: str, members: list[Any]) -> list[Part]:
        parts: list[Part] = []
        for index, member in enumerate(members):
            parts.extend([delimiter] if index else [])
            parts.extend(self._parts(member))
        return parts

    def _named(self, name: str, values: Mapping[str, Any]) -> list[Part]:
        if name in values:
            return self._parts(values[name])
        return self._parts({"Fn::GetAtt": name} if "." in name else {"Ref": name})

    def _reference(self, name: str) -> list[Part]:
        if name == "AWS::URLSuffix" and self.surroundings.region:
            return [self.surroundings.url_suffix]
        parameter = self._parameters.get(name) or {}
        kind = str(parameter.get("Type", ""))
        if kind.startswith(_SSM) and name not in self._open:
            # Its logical id says nothing: the value is whatever the named SSM parameter holds at deploy time.
            return [Token(f"${{SSM {self.value(self._settled.get(name, parameter.get('Default')))}}}")]
        if name in self._settled and not kind.startswith(_LISTS):
            return [_scalar(self._settled[name])]
        return [Token(f"${{{self.name(name)}}}")]

    def _if(self, test: Any, yes: Any, no: Any) -> Any:
        if isinstance(test, bool):
            return self.value(yes if test else no)
        opposite = logic.negated(test)
        if logic.text(opposite) < logic.text(test):
            test, yes, no = opposite, no, yes
        first, second = self.value(yes), self.value(no)
        return first if first == second else {"Fn::If": [test, first, second]}

    def _find(self, name: Any, first: Any, second: Any) -> Any:
        mapping = self._mappings.get(name) if isinstance(name, str) else None
        region = self.surroundings.region
        keys = [region if key == "${AWS::Region}" and region else key for key in (first, second)]
        found: Any = mapping
        for key in keys:
            found = found.get(key) if isinstance(found, dict) and isinstance(key, str) else None
        if found is not None:
            return self.value(found)
        return _token("Fn::FindInMap", [name if mapping is None else self.value(mapping), first, second])


def _is_intrinsic(name: object) -> bool:
    return isinstance(name, str) and (name == "Ref" or name.startswith("Fn::"))


def _scalar(raw: Any) -> str:
    """A number or a flag as the text that CloudFormation makes of it."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str(raw)


def _applied(function: str, argument: Any) -> Any:
    """What a function without a name of a template gives, as far as that is certain."""
    match function, argument:
        case "Fn::Select", [str(index), list(options)] if index.isdigit() and int(index) < len(options):
            return options[int(index)]
        case "Fn::Split", [str(delimiter), str(source)] if delimiter and "${" not in source:
            return source.split(delimiter)
        case "Fn::GetAZs", "":
            return _token(function, "${AWS::Region}")
        case "Fn::ToJsonString", _:
            return argument
    return _token(function, argument)


def _token(function: str, argument: Any) -> str:
    return f"${{{function} {json.dumps(argument, sort_keys=True)}}}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else f"${{{json.dumps(value, sort_keys=True)}}}"

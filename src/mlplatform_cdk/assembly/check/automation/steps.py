"""What is wrong with a document: where its steps lead, what they name, and the calls that they make.

Systems Manager takes a document whose steps name a call or a parameter that does not exist, and fails when it runs.
Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.assembly.check.loose import listed, mapping, mappings, texts
from mlplatform_cdk.assembly.check.references import is_marked, unmarked
from mlplatform_cdk.assembly.check.service_model import Caller, Operation, operation

FLOW, CALL, REFERENCE, PARAMETER, SCRIPT = (
    f"automation-{name}" for name in ("flow", "call", "reference", "parameter", "script")
)
API = "aws:executeAwsApi"
PROPERTIES = ("aws:waitForAwsResourceProperty", "aws:assertAwsResourceProperty")
RUN_SCRIPT = "aws:executeScript"
_BRANCH = "aws:branch"
_OWN = frozenset({"Service", "Api", "PropertySelector", "DesiredValues"})
_GIVEN = re.compile(r"\{\{ *([\w.:-]+) *\}\}")
_PART = re.compile(r"\.([\w-]+)|\[(\d+|\*)\]")
_PLAIN_PATH = re.compile(r"\$(?:\.[\w-]+|\[(?:\d+|\*)\])+")
_GOAL = "step:"
_KNOWN = ("global:", "automation:")  # what Systems Manager fills in itself


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one step, or with one parameter.

    :param kind: the rule.
    :param where: the step's name.
    """

    kind: str
    where: str
    text: str


def problems(content: Mapping[str, Any]) -> Iterator[Problem]:
    """All that is wrong with a document."""
    steps = mappings(content.get("mainSteps"))
    if not steps:
        yield Problem(FLOW, "mainSteps", "must be at least one step")
    parameters = mapping(content.get("parameters"))
    yield from _parameters(parameters)
    yield from _flow(steps)
    known = {*parameters} | {f"{one.get('name')}.{output}" for one in steps for output in _outputs(one)}
    for step in steps:
        name = str(step.get("name"))
        yield from (Problem(CALL, name, text) for text in _call(step))
        yield from (Problem(SCRIPT, name, text) for text in _script(step))
        for reference in sorted(_references({"inputs": _without_script(step)}) - known):
            if not reference.startswith(_KNOWN):
                yield Problem(REFERENCE, name, f"{{{{ {reference} }}}} is neither a parameter nor a step's output")
    for output in texts(content.get("outputs")):
        if output not in known and not output.endswith((".Output", ".OutputPayload")):
            yield Problem(REFERENCE, "outputs", f"{output} is no step's output")


def called(step: Mapping[str, Any]) -> Operation | None:
    """The call that a step makes, where it names one that exists."""
    if step.get("action") not in (API, *PROPERTIES):
        return None
    inputs = mapping(step.get("inputs"))
    found = operation(str(inputs.get("Service")), str(inputs.get("Api")))
    return None if isinstance(found, str) else found


def given(step: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of that call."""
    return {name: value for name, value in mapping(step.get("inputs")).items() if name not in _OWN}


def _parameters(parameters: Mapping[str, Any]) -> Iterator[Problem]:
    for name, one in parameters.items():
        definition = mapping(one)
        pattern, default = definition.get("allowedPattern"), definition.get("default")
        if isinstance(pattern, str):
            try:
                compiled = re.compile(pattern)
            except re.error as wrong:
                yield Problem(PARAMETER, name, f"allowedPattern must be a regular expression: {wrong}")
                continue
            if isinstance(default, str) and compiled.search(default) is None:
                yield Problem(PARAMETER, name, f"its default must match {pattern}, got {default!r}")
        allowed = listed(definition.get("allowedValues"))
        if allowed and default is not None and default not in allowed and not any(map(is_marked, allowed)):
            yield Problem(
                PARAMETER, name, f"its default must be one of {', '.join(map(str, allowed))}, got {default!r}"
            )


def _flow(steps: list[Mapping[str, Any]]) -> Iterator[Problem]:
    names = [str(one.get("name")) for one in steps]
    led_to = {*names[:1]}
    for at, step in enumerate(steps):
        name, targets = names[at], {*_targets(step)}
        falls_through = "nextStep" not in step and not step.get("isEnd") and step.get("action") != _BRANCH
        if falls_through and at + 1 < len(steps):
            targets.add(names[at + 1])
        led_to |= targets
        if names.count(name) > 1 and names.index(name) == at:
            yield Problem(FLOW, name, "its name must be its own")
        for missing in sorted(targets - {*names}):
            yield Problem(FLOW, name, f"leads to {missing!r}, which does not exist")
    for name in names:
        if name not in led_to:
            yield Problem(FLOW, name, "nothing leads to it")


def _targets(step: Mapping[str, Any]) -> Iterator[str]:
    inputs = mapping(step.get("inputs"))
    yield from texts(step.get("nextStep"))
    if step.get("action") == _BRANCH:
        yield from texts(inputs.get("Default"))
        for choice in mappings(inputs.get("Choices")):
            yield from texts(choice.get("NextStep"))
    for way in (*texts(step.get("onFailure")), *texts(step.get("onCancel"))):
        if way.startswith(_GOAL):
            yield way.removeprefix(_GOAL)


def _call(step: Mapping[str, Any]) -> Iterator[str]:
    inputs, action = mapping(step.get("inputs")), step.get("action")
    if action not in (API, *PROPERTIES):
        return
    found = operation(str(inputs.get("Service")), str(inputs.get("Api")))
    if isinstance(found, str):
        yield found
        return
    yield from found.check(given(step), "inputs", Caller(expression=_is_reference))
    selectors = [str(one.get("Selector")) for one in mappings(step.get("outputs"))]
    if action in PROPERTIES:
        selectors.append(str(inputs.get("PropertySelector")))
        if not texts(inputs.get("DesiredValues")):
            yield "DesiredValues must be at least one text"
    for selector in selectors:
        yield from _path(selector, found)


def _path(selector: str, found: Operation) -> Iterator[str]:
    """A path that leads to nothing which the service answers."""
    shape = found.model.output_shape
    if _PLAIN_PATH.fullmatch(selector) is None:
        return  # a filter, or another thing that only an answer can show
    for name, index in _PART.findall(selector):
        if shape is None or (index and shape.type_name != "list") or (name and shape.type_name == "list"):
            yield f"{selector} leads to nothing in what {found.name} answers"
            return
        if index:
            shape = shape.member
        elif shape.type_name == "map":
            shape = shape.value
        elif name in getattr(shape, "members", {}):
            shape = shape.members[name]
        else:
            yield f"{selector} leads to nothing in what {found.name} answers: it has no {name}"
            return


def _script(step: Mapping[str, Any]) -> Iterator[str]:
    inputs = mapping(step.get("inputs"))
    code, handler = inputs.get("Script"), inputs.get("Handler")
    if (
        step.get("action") != RUN_SCRIPT
        or not isinstance(code, str)
        or not str(inputs.get("Runtime")).startswith("python")
    ):
        return
    try:
        tree = ast.parse(code)
    except SyntaxError as wrong:
        yield f"its script is no Python: {wrong}"
        return
    if handler not in [one.name for one in tree.body if isinstance(one, ast.FunctionDef)]:
        yield f"its script has no function {handler}"


def _outputs(step: Mapping[str, Any]) -> Iterator[str]:
    yield from (str(one.get("Name")) for one in mappings(step.get("outputs")))
    # What Systems Manager tells of every step: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-outputs-inputs.html
    yield from ("Output", "OutputPayload", "StepStatus")


def _without_script(step: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in mapping(step.get("inputs")).items() if name != "Script"}


def _references(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return {found for one in value.values() for found in _references(one)}
    if isinstance(value, list):
        return {found for one in value for found in _references(one)}
    return {*_GIVEN.findall(unmarked(value))} if isinstance(value, str) else set()


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and _GIVEN.search(value) is not None

"""Each role of a template against the states or the code that act under it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from mlplatform_cdk.assembly.check.automation import documents, needs_of_document
from mlplatform_cdk.assembly.check.automation.check import DOCUMENT
from mlplatform_cdk.assembly.check.automation.steps import RUN_SCRIPT
from mlplatform_cdk.assembly.check.loose import mapping, mappings
from mlplatform_cdk.assembly.check.permissions import excuses
from mlplatform_cdk.assembly.check.permissions.actions import actions_of, may_take
from mlplatform_cdk.assembly.check.permissions.code import ApiCall, calls
from mlplatform_cdk.assembly.check.permissions.judge import missing, unreached, unused
from mlplatform_cdk.assembly.check.permissions.reach import reachable
from mlplatform_cdk.assembly.check.permissions.roles import allowed, role_of, users
from mlplatform_cdk.assembly.check.permissions.sources import Sources
from mlplatform_cdk.assembly.check.permissions.targets import Target, targets
from mlplatform_cdk.assembly.check.references import References
from mlplatform_cdk.assembly.check.states.definitions import MACHINE, definitions
from mlplatform_cdk.assembly.check.states.machine import needed_actions, states
from mlplatform_cdk.assembly.check.templates import Resource, Template
from mlplatform_cdk.assembly.findings import Finding

FUNCTION = "AWS::Lambda::Function"
# Where each says under which role it acts.
_ROLES = {FUNCTION: "Role", MACHINE: "RoleArn", DOCUMENT: "Content.assumeRole"}
# CDK's own handler of bucket notifications: a call in it is for buckets of others only, and allowed with those only.
_CDKS_OWN = "BucketNotificationsHandler050a0587b7544547bf325f094a3db834"


@dataclass(frozen=True, slots=True)
class Needs:
    """What one function or state machine needs.

    :param calls: each action, and where it is called.
    :param may: actions that it may need: the code does not tell.
    :param made: the calls of code, with what is given to them.
    :param on: what the calls are made on, where the template says so.
    """

    calls: Mapping[str, str]
    may: tuple[str, ...] = ()
    made: tuple[ApiCall, ...] = ()
    on: tuple[Target, ...] = ()


@dataclass
class Permissions:
    """What was compared in all templates so far.

    :param unseen: functions whose code could not be read: construct, and why.
    """

    unseen: list[tuple[str, str]] = field(default_factory=list)
    functions: int = 0
    machines: int = 0

    def findings(self, template: Template) -> Iterator[Finding]:
        """Missing and unused permissions of every role in ``template`` under which code or states run."""
        needs = dict(self._needs(template))
        by_role: dict[str, list[Resource]] = {}
        roles: dict[str, Resource] = {}
        for resource in template.of_type(FUNCTION, MACHINE, DOCUMENT):
            role = role_of(resource, _ROLES[resource.type])
            if role is None and resource.logical_id in needs:
                self._not_seen(resource, "its role is not in its stack")
            elif role and resource.logical_id in needs:
                roles[role.logical_id] = role
                by_role.setdefault(role.logical_id, []).append(resource)
        for name, under in by_role.items():
            yield from _of_role(roles[name], under, needs)

    def _needs(self, template: Template) -> Iterator[tuple[str, Needs]]:
        """Logical id to what it calls."""
        for name, definition in definitions(template.references):
            if isinstance(definition, dict):
                self.machines += 1
                yield name, _of_states(definition, template.references)
        for document, content in documents(template):
            if isinstance(document.get("Content.assumeRole"), Mapping):  # else whoever starts it gives the role
                yield document.logical_id, _of_document(content, template.references)
        for function in template.of_type(FUNCTION):
            found = needs_of_code(function)
            if isinstance(found, str):
                self._not_seen(function, found)
            else:
                self.functions += 1
                yield function.logical_id, replace(found, on=tuple(_named(function, found.made)))

    def _not_seen(self, resource: Resource, why: str) -> None:
        self.unseen.append((resource.construct_path or f"{resource.template.stack}/{resource.logical_id}", why))


def _of_role(role: Resource, under: list[Resource], needs: Mapping[str, Needs]) -> Iterator[Finding]:
    may = allowed(role)
    for resource in under:
        yield from missing(role, may, needs[resource.logical_id].calls, _name(resource))
        reached = (one for one in needs[resource.logical_id].on if one.action in may)
        yield from unreached(role, may, reached, _name(resource))
    others = [one for one in users(role) if one.logical_id not in needs]
    if not others:
        needed = {action for resource in under for action in needs[resource.logical_id].calls}
        excused = {pattern for resource in under for pattern in (*_excused(resource), *needs[resource.logical_id].may)}
        yield from unused(role, may, needed, excused, " and ".join(_name(one) for one in under))


def _name(resource: Resource) -> str:
    return resource.construct_path.removesuffix("/Resource").rpartition("/")[2] or resource.logical_id


def _of_states(definition: Mapping[str, object], references: References) -> Needs:
    found = dict.fromkeys(needed_actions(definition), "one of its states")
    on: list[Target] = []
    for name, state in states(definition):
        if state.get("Type") == "Task":
            alone = {"StartAt": name, "States": {name: state}}
            actions = needed_actions(alone)
            found.update(dict.fromkeys(actions, f"state {name}"))
            given = mapping(state.get("Parameters", state.get("Arguments")))
            on.extend(targets(frozenset(actions), given, references, f"state {name}"))
    return Needs(found, on=tuple(on))


def _of_document(content: Mapping[str, object], references: References) -> Needs:
    """What the steps of an automation document call, and their scripts."""
    found: dict[str, str] = {}
    on: list[Target] = []
    for place, actions, given in needs_of_document(content):
        found.update(dict.fromkeys(actions, place))
        on.extend(targets(actions, given, references, place))
    may: list[str] = []
    for step in mappings(content.get("mainSteps")):
        inputs = mapping(step.get("inputs"))
        code = str(inputs.get("Script", ""))
        needs = _needs_of(None, 0, code, f"index.{inputs.get('Handler')}") if step.get("action") == RUN_SCRIPT else ""
        if isinstance(needs, Needs):
            found.update(dict.fromkeys(needs.calls, f"the script of step {step.get('name')}"))
            may.extend(needs.may)
    return Needs(found, tuple(may), on=tuple(on))


def needs_of_code(function: Resource) -> Needs | str:
    """The actions that the code calls, or why it cannot be read."""
    if function.logical_id.startswith(_CDKS_OWN):
        return "it is CDK's own"
    code, handler = mapping(function.properties.get("Code")), function.properties.get("Handler")
    runtime = str(function.properties.get("Runtime", ""))
    if not isinstance(handler, str) or not runtime.startswith("python"):
        return f"only Python code is read, this is {runtime or 'a container image'}"
    if isinstance(code.get("ZipFile"), str):
        return _needs_of(None, 0, code["ZipFile"], handler)
    asset = function.template.asset(code.get("S3Key", ""))
    return _needs_of(asset, _changed(asset), "", handler) if asset else "its code is not among the assembly's assets"


@lru_cache(maxsize=512)
def _needs_of(asset: Path | None, _changed: int, text: str, handler: str) -> Needs | str:
    """What the code at ``asset``, or in ``text``, needs; read once, as environments and regions share their code."""
    parts = reachable(Sources.of(asset) if asset else Sources({"index.py": text}), handler)
    if not parts:
        return f"its code has no handler {handler}"
    made = sorted(calls(parts), reverse=True)
    needed: dict[str, str] = {}
    for call in made:
        needed.update(dict.fromkeys(actions_of(call.service, call.name), call.place))
        if call.hands_role:
            needed["iam:PassRole"] = call.place
    may = {action for call in made for action in may_take(call.service, call.name)}
    if any(call.may_hand_role for call in made):
        may.add("iam:PassRole")
    return Needs(needed, tuple(sorted(may)), tuple(made))


def _named(function: Resource, made: Iterable[ApiCall]) -> Iterator[Target]:
    """What the calls are made on, the function's own environment filled in."""
    references = function.template.references
    variables = mapping(function.get("Environment.Variables"))
    for call in made:
        given = {
            name: references.text(variables.get(text[1:], "")) if text.startswith("$") else text
            for name, text in call.given
        }
        yield from targets(actions_of(call.service, call.name), given, references, call.place)


def _changed(asset: Path | None) -> int:
    """When the code was last written, in nanoseconds."""
    files = asset.rglob("*.py") if asset and asset.is_dir() else [asset] if asset and asset.is_file() else []
    return max((file.stat().st_mtime_ns for file in files), default=0)


def _excused(resource: Resource) -> Iterator[str]:
    """What the service does for this function under its role."""
    if resource.properties.get("VpcConfig"):
        yield from excuses.NETWORK
    name = {"Ref": resource.logical_id}
    if resource.properties.get("DeadLetterConfig") or any(
        one.properties.get("FunctionName") == name
        for one in resource.template.of_type("AWS::Lambda::EventInvokeConfig")
    ):
        yield from excuses.DEAD_LETTERS
    if any(
        one.properties.get("FunctionName") == name or resource.logical_id in str(one.properties.get("FunctionName"))
        for one in resource.template.of_type("AWS::Lambda::EventSourceMapping")
    ):
        yield from excuses.EVENT_SOURCES

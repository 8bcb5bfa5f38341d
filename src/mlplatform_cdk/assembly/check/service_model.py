"""AWS's own description of its calls, as botocore ships it, and a check of parameters against it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from mlplatform_cdk.assembly.check.references import is_mark, is_marked, unmarked

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "structure": (Mapping,),
    "map": (Mapping,),
    "list": (list,),
    "timestamp": (str, int, float),
}
# botocore's text of a pattern may use Java's classes of characters, which Python does not know.
_FOREIGN = re.compile(r"\\[pP]\{|\\h|&&|\[:|\(\?<[a-zA-Z]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """How the one who calls writes parameters.

    :param dynamic: what is wrong with a value that only a run knows, under a key that ends with ``.$``.
    :param expression: whether this value, under any key, is known by a run only.
    :param capital: parameters start with a capital letter, as Step Functions has them; default: as botocore has them.
    :param any_json: parameters, texts to AWS, that may be any JSON here.
    """

    dynamic: Callable[[object, str], str | None] = lambda _value, _kind: None
    expression: Callable[[object], bool] = lambda _value: False
    capital: bool = False
    any_json: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a service, by botocore's names."""

    service: str
    name: str
    model: Any

    def check(self, parameters: object, where: str, caller: Caller) -> Iterator[str]:
        """What is wrong with ``parameters``, one sentence each."""
        if self.model.input_shape is None:
            if parameters:
                yield f"{where} must be empty: {self.name} takes none"
            return
        yield from _check(self.model.input_shape, parameters, where, caller)

    @property
    def role_parameters(self) -> tuple[str, ...]:
        """The parameters that hand a role to the service, for which the caller needs ``iam:PassRole``."""
        if self.service == "sts":
            return ()  # who comes as a role hands it to nobody: that is sts:AssumeRole alone
        members = self.model.input_shape.members if self.model.input_shape else {}
        return tuple(name for name in members if re.search(r"[rR]oleA[rR][nN]$|^Role$", name))


@cache
def operation(service: str, name: str) -> Operation | str:
    """The call ``name`` (``CreateModel``) of botocore's ``service``, or what is wrong with the names."""
    model = service_model(service)
    if model is None:
        return f"the service {service!r} does not exist"
    if name not in model.operation_names:
        return f"the service {service!r} has no action {name!r}"
    return Operation(service, name, model.operation_model(name))


@cache
def service_model(service: str) -> Any:
    """Botocore's description of ``service``, or None."""
    session = _session()
    return session.get_service_model(service) if service in _services() else None


@cache
def _services() -> frozenset[str]:
    return frozenset(_session().get_available_services())


@cache
def _session() -> Any:
    from botocore.session import get_session

    return get_session()


def data(service: str, kind: str) -> dict[str, Any]:
    """Botocore's ``paginators-1`` or ``waiters-2`` of ``service``; empty where it has none."""
    from botocore.exceptions import UnknownServiceError

    try:
        loaded: dict[str, Any] = _session().get_component("data_loader").load_service_model(service, kind)
    except UnknownServiceError:
        return {}
    return loaded


def _check(shape: Any, value: Any, where: str, caller: Caller) -> Iterator[str]:
    # A blob is any JSON to Step Functions (Lambda's payload).
    if shape.type_name == "blob" or getattr(shape, "is_document_type", False):
        return
    if is_mark(value) or caller.expression(value):
        return
    kinds = _KINDS[shape.type_name]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        yield f"{where} must be of type {shape.type_name}, got {_shown(value)}"
        return
    yield from _CHECKS.get(shape.type_name, _check_nothing)(shape, value, where, caller)


def _check_nothing(_shape: Any, _value: Any, _where: str, _caller: Caller) -> Iterator[str]:
    yield from ()


def _check_map(shape: Any, value: Mapping[str, Any], where: str, caller: Caller) -> Iterator[str]:
    yield from _check_bounds(shape, len(value), where, "entries")
    for key, item in value.items():
        yield from _check_entry(shape.value, key, item, where, caller)


def _check_list(shape: Any, value: list[Any], where: str, caller: Caller) -> Iterator[str]:
    yield from _check_bounds(shape, len(value), where, "entries")
    for index, item in enumerate(value):
        yield from _check(shape.member, item, f"{where}[{index}]", caller)


def _check_number(shape: Any, value: float, where: str, _caller: Caller) -> Iterator[str]:
    yield from _check_bounds(shape, value, where, "")


def _check_structure(shape: Any, value: Mapping[str, Any], where: str, caller: Caller) -> Iterator[str]:
    def written(name: str) -> str:
        return name[:1].upper() + name[1:] if caller.capital else name

    members = {written(name): member for name, member in shape.members.items()}
    given = {key.removesuffix(".$") for key in value}
    for missing in sorted(set(map(written, shape.required_members)) - given - _made_by_the_client(shape)):
        yield f"{where}.{missing} is missing"
    for key, item in value.items():
        name = key.removesuffix(".$")
        if name not in members:
            yield f"{where}.{name} is unknown; {shape.name} has {', '.join(members)}"
        elif name not in caller.any_json:
            yield from _check_entry(members[name], key, item, where, caller)


def _made_by_the_client(shape: Any) -> set[str]:
    """Tokens that botocore and the SDK for Java fill in."""
    return {
        spelt
        for name, member in shape.members.items()
        if member.metadata.get("idempotencyToken")
        for spelt in (name, name[:1].upper() + name[1:])
    }


def _check_entry(shape: Any, key: str, item: Any, where: str, caller: Caller) -> Iterator[str]:
    if not key.endswith(".$"):
        yield from _check(shape, item, f"{where}.{key}", caller)
        return
    problem = caller.dynamic(item, shape.type_name)
    if problem:
        yield f"{where}.{key} {problem}"


def _check_text(shape: Any, value: str, where: str, _caller: Caller) -> Iterator[str]:
    if is_marked(value):
        return
    yield from _check_bounds(shape, len(value), where, "characters")
    if shape.name.endswith(("InstanceType", "AmiVersion")):  # the model lags behind what AWS offers
        if any(name.startswith("ml.") for name in shape.enum) and not value.startswith("ml."):
            yield f"{where} must start with 'ml.', got {value!r}"
    elif shape.enum and value not in shape.enum:
        yield f"{where} must be one of {', '.join(shape.enum)}, got {value!r}"
    pattern = shape.metadata.get("pattern")
    if pattern and not _FOREIGN.search(pattern) and not re.fullmatch(pattern, value):
        yield f"{where} must match {pattern}, got {value!r}"


def _check_bounds(shape: Any, size: float, where: str, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is not None and size < least) or (most is not None and size > most):
        yield f"{where} must have {_span(least, most)} {what}".rstrip() + f", got {size}"


def _span(least: float | None, most: float | None) -> str:
    if most is None:
        return f"{least} or more"
    return f"{least} to {most}" if least is not None else f"{most} or fewer"


def _shown(value: object) -> str:
    return unmarked(repr(value))


_CHECKS: dict[str, Callable[[Any, Any, str, Caller], Iterator[str]]] = {
    "structure": _check_structure,
    "map": _check_map,
    "list": _check_list,
    "string": _check_text,
    **dict.fromkeys(("integer", "long", "float", "double"), _check_number),
}


@cache
def service_named(squeezed: str) -> str | None:
    """Botocore's name of the service whose letters these are: ``sagemakerruntime`` is ``sagemaker-runtime``."""
    return {name.replace("-", ""): name for name in _services()}.get(squeezed)

"""AWS's own description of its calls, as botocore ships it, and a check of parameters against it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.model import OperationModel, Shape
from botocore.session import get_session

# Step Functions names a service as the SDK for Java does, without separators.
_BOTOCORE_NAMES = {
    "applicationautoscaling": "application-autoscaling",
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sfn": "stepfunctions",
}
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
    "timestamp": (str,),
}
Dynamic = Callable[[object, str], str | None]


@dataclass(frozen=True)
class Operation:
    """One call of a service."""

    service: str
    name: str
    model: OperationModel

    @property
    def iam_action(self) -> str:
        """Such as ``sagemaker:CreateTrainingJob``."""
        return f"{self.model.service_model.signing_name}:{self.name}"

    def check(self, parameters: object, where: str, dynamic: Dynamic) -> Iterator[str]:
        """What is wrong with ``parameters``; ``dynamic`` judges the values that only a run knows."""
        if self.model.input_shape is None:
            if parameters:
                yield f"{where} must be empty: {self.name} takes none"
            return
        yield from _check(self.model.input_shape, parameters, where, dynamic)


@cache
def operation(service: str, action: str) -> Operation | str:
    """The call ``action`` of ``service`` (``sagemaker``, ``createTrainingJob``), or what is wrong with the names."""
    session = get_session()
    name = _BOTOCORE_NAMES.get(service, service)
    if name not in session.get_available_services():
        return f"the service {service!r} does not exist"
    model = session.get_service_model(name)
    wanted = action[:1].upper() + action[1:]
    if not action[:1].islower() or wanted not in model.operation_names:
        return f"the service {service!r} has no action {action!r}"
    return Operation(service, wanted, model.operation_model(wanted))


def _check(shape: Shape, value: Any, where: str, dynamic: Dynamic) -> Iterator[str]:
    if shape.type_name == "blob":
        return  # Lambda's payload: any JSON
    kinds = _KINDS[shape.type_name]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        yield f"{where} must be of type {shape.type_name}, got {value!r}"
        return
    yield from _CHECKS.get(shape.type_name, _check_nothing)(shape, value, where, dynamic)


def _check_nothing(_shape: Shape, _value: Any, _where: str, _dynamic: Dynamic) -> Iterator[str]:
    yield from ()


def _check_map(shape: Any, value: Mapping[str, Any], where: str, dynamic: Dynamic) -> Iterator[str]:
    yield from _check_bounds(shape, len(value), where, "entries")
    for key, item in value.items():
        yield from _check_entry(shape.value, key, item, where, dynamic)


def _check_list(shape: Any, value: list[Any], where: str, dynamic: Dynamic) -> Iterator[str]:
    yield from _check_bounds(shape, len(value), where, "entries")
    for index, item in enumerate(value):
        yield from _check(shape.member, item, f"{where}[{index}]", dynamic)


def _check_number(shape: Shape, value: float, where: str, _dynamic: Dynamic) -> Iterator[str]:
    yield from _check_bounds(shape, value, where, "")


def _check_structure(shape: Any, value: Mapping[str, Any], where: str, dynamic: Dynamic) -> Iterator[str]:
    given = {key.removesuffix(".$") for key in value}
    for missing in sorted(set(shape.required_members) - given):
        yield f"{where}.{missing} is missing"
    for key, item in value.items():
        name = key.removesuffix(".$")
        if name not in shape.members:
            yield f"{where}.{name} is unknown; {shape.name} has {', '.join(shape.members)}"
        else:
            yield from _check_entry(shape.members[name], key, item, where, dynamic)


def _check_entry(shape: Shape, key: str, item: Any, where: str, dynamic: Dynamic) -> Iterator[str]:
    if not key.endswith(".$"):
        yield from _check(shape, item, f"{where}.{key}", dynamic)
        return
    problem = dynamic(item, shape.type_name)
    if problem:
        yield f"{where}.{key} {problem}"


def _check_text(shape: Any, value: str, where: str, _dynamic: Dynamic) -> Iterator[str]:
    yield from _check_bounds(shape, len(value), where, "characters")
    if shape.name.endswith("InstanceType"):  # the model lags behind what AWS offers
        if not value.startswith("ml."):
            yield f"{where} must start with 'ml.', got {value!r}"
    elif shape.enum and value not in shape.enum:
        yield f"{where} must be one of {', '.join(shape.enum)}, got {value!r}"
    pattern = shape.metadata.get("pattern")
    # Java's classes of characters are unknown to Python.
    if pattern and r"\p{" not in pattern and not re.fullmatch(pattern, value):
        yield f"{where} must match {pattern}, got {value!r}"


def _check_bounds(shape: Shape, size: float, where: str, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is not None and size < least) or (most is not None and size > most):
        yield f"{where} must have {least} to {most} {what}".rstrip() + f", got {size}"


_CHECKS: dict[str, Callable[[Any, Any, str, Dynamic], Iterator[str]]] = {
    "structure": _check_structure,
    "map": _check_map,
    "list": _check_list,
    "string": _check_text,
    **dict.fromkeys(("integer", "long", "float", "double"), _check_number),
}

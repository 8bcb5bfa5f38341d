"""The calls of AWS that Python code makes through boto3, read from its syntax tree.

A client is recognised where it is made (``boto3.client("s3")``, ``session.client("s3")``, ``aws.client("s3")``) and
followed through the names that it is given; where a client comes as a parameter, its methods' names tell. Where the
name of an operation comes as a parameter, whoever calls that function says it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial

from mlplatform_cdk.assembly.check.permissions.reach import Definition, Part
from mlplatform_cdk.assembly.check.permissions.targets import PARAMETERS
from mlplatform_cdk.assembly.check.permissions.tellers import Teller, tellers
from mlplatform_cdk.assembly.check.service_model import data, operation, service_model

_MAKERS = {"client", "resource"}
_ONE_WORD = {"converse", "invoke", "publish", "query", "scan"}  # the methods whose names alone tell
_TRANSFERS = {
    "copy": ("GetObject", "PutObject"),
    "download_file": ("GetObject",),
    "download_fileobj": ("GetObject",),
    "upload_file": ("PutObject",),
    "upload_fileobj": ("PutObject",),
}
_BY_NAME = {"can_paginate", "generate_presigned_url", "get_paginator"}


@dataclass(frozen=True, slots=True, order=True)
class ApiCall:
    """One call of AWS.

    :param service: botocore's name.
    :param name: the operation, such as ``ListObjectsV2``.
    :param place: file and line, for the reader.
    :param hands_role: it hands a role to the service.
    :param may_hand_role: it may, among keywords that are computed.
    :param given: keywords with a text, or with ``$NAME`` for what may be the environment's NAME.
    """

    service: str
    name: str
    place: str
    hands_role: bool = False
    may_hand_role: bool = False
    given: tuple[tuple[str, str], ...] = ()


def calls(parts: Iterable[Part]) -> set[ApiCall]:
    """Every call that ``parts`` make."""
    return _Reader([*parts]).calls()


class _Reader:
    def __init__(self, parts: list[Part]) -> None:
        self._parts = parts
        self._named: dict[tuple[str, str], set[str]] = {}
        self._makers: dict[str, set[str]] = {}
        nodes = [(part, node) for part in parts for node in part.walk()]
        self._seen = {service for _, node in nodes for service in _made(node)}
        self._assigned = [(part, *one) for part, node in nodes for one in _assigned(node)]
        modules = {id(part.module.tree): part for part in parts}.values()
        definitions = [
            (part, node) for part in modules for node in ast.walk(part.module.tree) if isinstance(node, Definition)
        ]
        self._own = {node.name for _, node in definitions}
        self._returned = [
            (part, node.name, inner.value)
            for part, node in definitions
            for inner in ast.walk(node)
            if isinstance(inner, ast.Return) and inner.value
        ]
        for _ in range(3):  # a name may be given on: client -> function -> variable
            self._learn()
        self._tellers: dict[str, list[Teller]] = {}
        for part, node in definitions:
            clients = partial(self._services, part)
            self._tellers.setdefault(node.name, []).extend(tellers(node, clients))

    def calls(self) -> set[ApiCall]:
        return {
            call
            for part in self._parts
            for node in part.walk()
            for call in (*self._call(part, node), *self._reference(part, node))
        }

    def _learn(self) -> None:
        for part, target, value in self._assigned:
            self._named.setdefault((part.module.name, target), set()).update(self._services(part, value))
        for part, name, value in self._returned:
            self._makers.setdefault(name, set()).update(self._services(part, value))

    def _services(self, part: Part, value: ast.expr) -> set[str]:
        """The services whose client ``value`` may be."""
        made = set(_made(value))
        if made:
            return made
        if isinstance(value, ast.Call):
            return self._makers.get(_last_name(value.func), set())
        if isinstance(value, ast.Name | ast.Attribute):
            return self._named.get((part.module.name, _last_name(value)), set())
        return set()

    def _reference(self, part: Part, node: ast.AST) -> Iterator[ApiCall]:
        """A method that is only named, to be called by whoever gets it."""
        if isinstance(node, ast.Attribute):
            for service in self._services(part, node.value):
                if node.attr in methods(service):
                    yield ApiCall(service, methods(service)[node.attr], f"{part.module.file}:{node.lineno}")

    def _call(self, part: Part, node: ast.AST) -> Iterator[ApiCall]:
        if not isinstance(node, ast.Call):
            return
        place = f"{part.module.file}:{node.lineno}"
        yield from self._named_apart(part, node, place)
        if not isinstance(node.func, ast.Attribute):
            return
        method = node.func.attr
        services = self._services(part, node.func.value) or self._guessed(method)
        for service in services:
            for name in self._operations(part, node, service, method):
                yield ApiCall(service, name, place, *_hands_role(service, name, node), _given(node))

    def _named_apart(self, part: Part, node: ast.Call, place: str) -> Iterator[ApiCall]:
        """The calls whose name is a value: of ``getattr`` here, or of the function that is called here."""
        if isinstance(node.func, ast.Name) and node.func.id == "getattr" and node.args:
            for service in self._services(part, node.args[0]):
                yield from (ApiCall(service, name, place) for name in self._spoken(part, service))
        for teller in self._tellers.get(_last_name(node.func), ()):
            for name in self._told(part, node, teller):
                yield ApiCall(teller.service, name, place, *_hands_role(teller.service, name, node), _given(node))

    def _told(self, part: Part, node: ast.Call, teller: Teller) -> Iterable[str]:
        """The operations that a call of the teller names: one text, or else whatever its module says."""
        given = teller.told(node)
        if isinstance(given, ast.Constant):
            return [methods(teller.service)[given.value]] if given.value in methods(teller.service) else []
        return self._spoken(part, teller.service) if given is not None else []

    def _guessed(self, method: str) -> set[str]:
        telling = "_" in method or method in _ONE_WORD
        return {one for one in self._seen if method in methods(one)} if telling and method not in self._own else set()

    def _operations(self, part: Part, node: ast.Call, service: str, method: str) -> Iterable[str]:
        if method in methods(service):
            return [methods(service)[method]]
        if method in _BY_NAME:
            named = _text(node, "operation_name", "ClientMethod")
            if named is None:
                return self._spoken(part, service)
            return [methods(service)[named]] if named in methods(service) else []
        if method == "get_waiter":
            return _waits(service, _text(node, "waiter_name"))
        return _TRANSFERS.get(method, ()) if service == "s3" else ()

    def _spoken(self, part: Part, service: str) -> list[str]:
        """Operations that the module says as texts: what a computed name may be."""
        texts = {one.value for one in ast.walk(part.module.tree) if isinstance(one, ast.Constant)}
        return [name for method, name in methods(service).items() if method in texts]


@cache
def methods(service: str) -> dict[str, str]:
    """boto3's methods of ``service`` and the operation behind each."""
    from botocore import xform_name

    model = service_model(service)
    return {str(xform_name(name)): str(name) for name in model.operation_names} if model else {}


def _made(node: ast.AST) -> Iterator[str]:
    """The service whose client or resource is made by this expression."""
    if isinstance(node, ast.Call) and _last_name(node.func) in _MAKERS:
        service = _text(node, "service_name", "service")
        if service and service_model(service) is not None:
            yield service


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Name and value of each assignment, those of tuples one by one."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                yield from zip(map(_last_name, target.elts), node.value.elts, strict=False)
            else:
                yield _last_name(target), node.value
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value:
        yield _last_name(node.target), node.value


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.Call, *keywords: str) -> str | None:
    given = [*node.args[:1], *(one.value for one in node.keywords if one.arg in keywords)]
    return next((str(one.value) for one in given if isinstance(one, ast.Constant)), None)


def _waits(service: str, name: str | None) -> list[str]:
    from botocore import xform_name

    waiters = data(service, "waiters-2").get("waiters", {})
    return [str(one["operation"]) for waiter, one in waiters.items() if name is None or xform_name(waiter) == name]


def _given(node: ast.Call) -> tuple[tuple[str, str], ...]:
    found = ((one.arg, _told(one.value)) for one in node.keywords if one.arg in PARAMETERS)
    return tuple(sorted((name or "", text) for name, text in found if text))


def _told(value: ast.expr) -> str:
    """A text as it stands, or the name in ``os.environ["NAME"]``, ``getenv("NAME")`` and the like."""
    match value:
        case ast.Constant(value=str(text)):
            return text
        case ast.Subscript(slice=ast.Constant(value=str(name))) | ast.Call(args=[ast.Constant(value=str(name)), *_]):
            return f"${name}"
    return ""


def _hands_role(service: str, name: str, node: ast.Call) -> tuple[bool, bool]:
    """Whether it hands a role on, and whether it may: ``**request`` can hold one."""
    called = operation(service, name)
    given = {one.arg for one in node.keywords}
    roles = () if isinstance(called, str) else called.role_parameters
    return bool(given & set(roles)), bool(roles) and None in given

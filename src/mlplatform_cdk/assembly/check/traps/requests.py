"""What a custom resource's code runs for one type of request, as far as its conditions compare that type with texts."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from mlplatform_cdk.assembly.check.permissions.reach import Part

_TYPES = {"Create", "Update", "Delete"}
# Answers and log lines, which every request gets.
_SAYS = {"send", "print", "debug", "info", "warning", "error", "exception"}


def only_creates(parts: Iterable[Part]) -> bool:
    """Whether the code compares the type with Create, and does nothing for Delete that it does not do for Create.

    False where it uses the type's name in any other way, such as a table of functions: then nobody can tell.
    """
    named = compared = 0
    special = False
    for part in parts:
        nodes = [*part.walk()]
        named += _creates(nodes)
        tests = [node.test for node in nodes if isinstance(node, ast.If)]
        compared += sum(_creates(ast.walk(test)) for test in tests if _decided(test, "Create") is not None)
        body = [node for node in part.nodes if isinstance(node, ast.stmt)]
        creating, deleting = (_run(body, kind)[0] for kind in ("Create", "Delete"))
        special |= any(_does(one) for one in deleting if one not in creating)
    return 0 < named == compared and not special


def _creates(nodes: Iterable[ast.AST]) -> int:
    return sum(isinstance(node, ast.Constant) and node.value == "Create" for node in nodes)


def _run(statements: Sequence[ast.stmt], kind: str) -> tuple[list[ast.stmt], bool]:
    """What runs for a request of that ``kind``, and whether it returns there."""
    ran: list[ast.stmt] = []
    for statement in statements:
        blocks = [_run(block, kind) for block in _blocks(statement, kind)]
        ran += [one for block, _ in blocks for one in block] if blocks else [statement]
        if isinstance(statement, ast.If):
            returned = all(ends for _, ends in blocks)
        else:
            returned = isinstance(statement, ast.With | ast.Try) and blocks[0][1]
        if returned or isinstance(statement, ast.Return | ast.Raise):
            return ran, True
    return ran, False


def _blocks(statement: ast.stmt, kind: str) -> list[list[ast.stmt]]:
    """The statements inside of ``statement`` that run; of a condition that does not tell, both branches."""
    if isinstance(statement, ast.If):
        decided = _decided(statement.test, kind)
        both = [statement.body, statement.orelse]
        return both if decided is None else [both[not decided]]
    inner = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
    return [block for block in (*inner, *(one.body for one in getattr(statement, "handlers", []))) if block]


def _does(statement: ast.stmt) -> bool:
    """Whether it calls anything but what answers or logs."""
    called = [node.func for node in ast.walk(statement) if isinstance(node, ast.Call)]
    names = {one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in called}
    return not names <= _SAYS


def _decided(test: ast.expr, kind: str) -> bool | None:
    """What a condition is for a request of that ``kind``; None where it does not compare the type."""
    if isinstance(test, ast.BoolOp):
        known = {_decided(one, kind) for one in test.values}
        either = isinstance(test.op, ast.Or)
        return either if either in known else None if None in known else not either
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    operator, other = test.ops[0], test.comparators[0]
    sides = [test.left, *(other.elts if isinstance(other, ast.Tuple | ast.List | ast.Set) else [other])]
    types = {one.value for one in sides if isinstance(one, ast.Constant)} & _TYPES
    if not types or not isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn):
        return None
    return (kind in types) is isinstance(operator, ast.Eq | ast.In)

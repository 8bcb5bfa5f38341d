"""Errors as AWS treats them: a Fail state may pass any name on, and ``States.ALL`` does not catch what is terminal.

moto's interpreter breaks on a Fail state that hands on one of the ``States.`` errors, and lets ``States.ALL`` catch
``States.Runtime``, which in AWS always ends the execution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName

if TYPE_CHECKING:
    from moto.stepfunctions.parser.asl.eval.environment import Environment

TERMINAL = ("States.DataLimitExceeded", "States.Runtime")

_matches = ErrorEqualsDecl._eval_body


def install() -> None:
    """Take the check of names away, and terminal errors out of ``States.ALL``."""
    CustomErrorName.__init__ = ErrorName.__init__
    ErrorEqualsDecl._eval_body = _matches_unless_terminal


def _matches_unless_terminal(declared: ErrorEqualsDecl, env: Environment) -> None:
    error = env.stack[-1].error_name
    named = [name.error_name for name in declared.error_names]
    _matches(declared, env)
    if error in TERMINAL and error not in named:
        env.stack[-1] = False

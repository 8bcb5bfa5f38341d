"""A definition is read once, and so is a path in it.

moto reads a definition anew for every execution, which takes long ones 0.3 s and more, and a path whenever it looks
there, for which its reader makes the tables of its grammar anew. What it makes of a definition keeps nothing of an
execution: that is all in the execution's environment, under a key of each component.

The reading itself is done without the grammar's whole context first, which takes two thirds of the time; what is read
so without an error comes to the same. Source: the documentation of antlr's ``PredictionMode.SLL``.
"""

from __future__ import annotations

import copy
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from antlr4.atn.PredictionMode import PredictionMode  # type: ignore[import-untyped]
from moto.stepfunctions.parser.asl.antlr.runtime.ASLParser import ASLParser
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException
from moto.stepfunctions.parser.asl.utils import json_path

_MOST_DEFINITIONS = 64
_MOST_PATHS = 4096
_parse = AmazonStateLanguageParser.parse
_make = ASLParser.__init__
_in_doubt: ContextVar[bool] = ContextVar("in doubt", default=False)
_path = lru_cache(maxsize=_MOST_PATHS)(json_path.parse)


def install() -> None:
    """Read each definition once, and each path; every execution gets a program of its own, over the same states."""
    AmazonStateLanguageParser.parse = staticmethod(_parse_once)
    json_path.parse = _path
    ASLParser.__init__ = _make_quick


def _parse_once(definition: str) -> tuple[EvalComponent, Any]:
    program, tree = _read(definition)
    return copy.copy(program), tree


@lru_cache(maxsize=_MOST_DEFINITIONS)
def _read(definition: str) -> tuple[EvalComponent, Any]:
    try:
        return _parse(definition)
    except ASLParserException:
        token = _in_doubt.set(True)
        try:
            return _parse(definition)
        finally:
            _in_doubt.reset(token)


def _make_quick(parser: ASLParser, *more: Any) -> None:
    _make(parser, *more)
    if not _in_doubt.get():
        parser._interp.predictionMode = PredictionMode.SLL

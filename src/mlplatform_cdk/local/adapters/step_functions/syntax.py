"""A definition is read once, and so is a path in it.

moto reads a definition anew for every execution, which takes long ones 0.3 s and more, and a path whenever it looks
there, for which its reader makes the tables of its grammar anew. What it makes of a definition keeps nothing of an
execution: that is all in the execution's environment, under a key of each component.
"""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import json_path

_MOST_DEFINITIONS = 64
_MOST_PATHS = 4096
_parse = AmazonStateLanguageParser.parse
_path = lru_cache(maxsize=_MOST_PATHS)(json_path.parse)


def install() -> None:
    """Read each definition once, and each path; every execution gets a program of its own, over the same states."""
    AmazonStateLanguageParser.parse = staticmethod(_parse_once)
    json_path.parse = _path


def _parse_once(definition: str) -> tuple[EvalComponent, Any]:
    program, tree = _read(definition)
    return copy.copy(program), tree


@lru_cache(maxsize=_MOST_DEFINITIONS)
def _read(definition: str) -> tuple[EvalComponent, Any]:
    return _parse(definition)

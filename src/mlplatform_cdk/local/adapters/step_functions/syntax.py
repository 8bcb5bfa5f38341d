"""A definition's syntax is read once, and so is a path in it.

moto reads a definition anew for every execution, which takes long ones 0.3 s, and a path whenever it looks there, for
which its reader makes the tables of its grammar anew.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.parser.asl.utils import json_path

_MOST_DEFINITIONS = 64
_MOST_PATHS = 4096
_parse = AmazonStateLanguageParser.parse
_path = lru_cache(maxsize=_MOST_PATHS)(json_path.parse)


def install() -> None:
    """Read each definition's syntax once, and each path; every execution gets a program of its own."""
    AmazonStateLanguageParser.parse = staticmethod(_parse_once)
    json_path.parse = _path


def _parse_once(definition: str) -> tuple[EvalComponent, Any]:
    tree = _tree(definition)
    return Preprocessor().visit(tree), tree


@lru_cache(maxsize=_MOST_DEFINITIONS)
def _tree(definition: str) -> Any:
    return _parse(definition)[1]

"""A definition's syntax is read once: moto reads it anew for every execution, which takes long definitions 0.3 s."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

_MOST_DEFINITIONS = 64
_parse = AmazonStateLanguageParser.parse


def install() -> None:
    """Read each definition's syntax once; every execution gets a program of its own."""
    AmazonStateLanguageParser.parse = staticmethod(_parse_once)


def _parse_once(definition: str) -> tuple[EvalComponent, Any]:
    tree = _tree(definition)
    return Preprocessor().visit(tree), tree


@lru_cache(maxsize=_MOST_DEFINITIONS)
def _tree(definition: str) -> Any:
    return _parse(definition)[1]

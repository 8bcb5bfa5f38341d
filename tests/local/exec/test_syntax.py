"""Is a definition that is read in a shorter way the same, and an error in it too?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.antlr.runtime.ASLParser import ASLParser
from moto.stepfunctions.parser.asl.parse.asl_parser import ASLParserException

from mlplatform_cdk.local.adapters.step_functions import syntax

COMPARISON = {"Variable": "$.n", "NumericGreaterThan": 1}
DATA = {"StartAt": ["Next", None, 1.5]}
INNER = {"StartAt": "Only", "States": {"Only": {"Type": "Pass", "Result": DATA, "End": True}}}
DEFINITION = {
    "StartAt": "Task",
    "States": {
        "Task": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {"FunctionName": "f", "Payload": {"token.$": "$$.Task.Token", "at.$": "States.UUID()"}},
            "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "BackoffRate": 1.5}],
            "Catch": [{"ErrorEquals": ["Lambda.Unknown"], "ResultPath": "$.error", "Next": "Fail"}],
            "ResultSelector": {"States": "Type"},
            "Next": "Choice",
        },
        "Choice": {
            "Type": "Choice",
            "Choices": [{"And": [COMPARISON, {"Not": COMPARISON}], "Next": "Map"}, {**COMPARISON, "Next": "Parallel"}],
            "Default": "Fail",
        },
        "Map": {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": INNER, "Next": "Parallel"},
        "Parallel": {"Type": "Parallel", "Branches": [INNER, INNER], "Next": "Wait"},
        "Wait": {"Type": "Wait", "Seconds": 1, "End": True},
        "Fail": {"Type": "Fail", "ErrorPath": "$.error.Error", "Cause": 'said "no"'},
    },
}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Reads as the embedded AWS does."""
    syntax._read.cache_clear()
    monkeypatch.setattr(ASLParser, "__init__", syntax._make_quick)
    yield syntax._read
    syntax._read.cache_clear()


def test_it_comes_to_the_same(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    definition = json.dumps(DEFINITION)
    _, short = read(definition)
    monkeypatch.setattr(ASLParser, "__init__", syntax._make)
    _, whole = syntax._parse(definition)

    assert short.toStringTree(ruleNames=ASLParser.ruleNames) == whole.toStringTree(ruleNames=ASLParser.ruleNames)


def test_an_error_is_the_same(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    definition = json.dumps(DEFINITION).replace('"Choices": [', '"Choices": [["a"], ')
    with pytest.raises(ASLParserException) as short:
        read(definition)
    monkeypatch.setattr(ASLParser, "__init__", syntax._make)
    with pytest.raises(ASLParserException) as whole:
        syntax._parse(definition)

    assert str(short.value) == str(whole.value)

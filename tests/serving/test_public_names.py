"""Does the room give what it promises, where each thing lies?"""

import ast
from pathlib import Path

import pytest

from mlplatform_cdk import serving

LAZY = Path(serving.__file__)


@pytest.mark.parametrize("name", serving.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(serving, name) is not None
    assert getattr(serving, name) is getattr(serving, name)


def test_what_type_checkers_see_is_what_is_given() -> None:
    (only_for_types,) = [node for node in ast.parse(LAZY.read_text()).body if isinstance(node, ast.If)]
    seen = {
        name.name: str(one.module).removeprefix("mlplatform_cdk.serving.")
        for one in only_for_types.body
        if isinstance(one, ast.ImportFrom)
        for name in one.names
    }

    assert seen == serving._HOMES
    assert sorted(seen) == sorted(serving.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'ServingImages'"):
        _ = serving.ServingImages

"""Do the formats of docs/serving.md mean what the page says?"""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from mlplatform_cdk.runtimekit.manifest import Tensor, records
from mlplatform_cdk.serving.container.codecs import Codec
from mlplatform_cdk.serving.container.limits import Limits
from tests.serving.container.codecs import models

TEXT = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
SECTION = TEXT.split("## Formats\n")[1].split("\n## ")[0]
REQUESTS = re.findall(r"```http\nContent-Type: (\S+)\n\n(.*?)\n```", SECTION, re.DOTALL)
EXPECTED = np.array([[41, 3, 10.5], [29, np.nan, 0.1]], np.float32)


def codec() -> Codec:
    return models.codec(models.TABLE, labels=("stays", "leaves"))


def test_every_example_is_found() -> None:
    assert SECTION.count("```http") == len(REQUESTS) == 9


@pytest.mark.parametrize(("kind", "body"), REQUESTS)
def test_every_request_asks_for_the_two_rows(kind: str, body: str) -> None:
    assert models.same(codec().decode(body.encode(), kind)["features"], EXPECTED)


def test_the_input_of_pictures_is_one() -> None:
    example = SECTION.split("```json\n")[1].split("```")[0]
    tensor: Tensor = records.decode(Tensor, json.loads(example), "input")

    assert tensor.image is not None
    assert tensor.image.size(tensor.name, tensor.shape) == (224, 224)


def test_every_answer_reads_as_the_table_says() -> None:
    outputs = {"label": np.array([1, 0]), "probabilities": np.array([[0.25, 0.75], [0.5, 0.5]], np.float32)}
    rows = dict(re.findall(r"^\| `(\S+)` \| (.*) \|$", SECTION, re.MULTILINE))

    assert [codec().accept(kind) for kind in rows] == [*rows]
    for kind, cell in rows.items():
        parts = re.findall(r"`([^`]*)`", cell)
        answer = codec().encode(outputs, kind)
        if kind in (models.JSON, models.CSV, models.LINES):
            lines = answer.decode().splitlines()
            assert lines[: len(parts)] == parts


def test_the_limits_are_those_of_the_code() -> None:
    limits = Limits()

    for number in (limits.rows, limits.elements, limits.pixels):
        assert f"{number:,}" in SECTION
    assert f"{limits.unpacked_bytes // 2**20} MiB" in SECTION

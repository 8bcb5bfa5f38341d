"""Is the example of the documents a manifest?"""

import json
from pathlib import Path

from mlplatform_cdk.runtimekit.manifest import Manifest

PAGE = Path(__file__).parents[2] / "docs" / "model-manifest.md"


def test_the_example_is_a_manifest_with_every_field_that_a_real_one_has() -> None:
    example = PAGE.read_text(encoding="utf-8").split("```json\n")[1].split("```")[0]

    manifest = Manifest.from_json(example)

    assert json.loads(manifest.to_json()) == json.loads(example)

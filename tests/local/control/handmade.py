"""Assemblies of one hand-written template each, for tests of what happens to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlplatform_cdk.assembly import Assembly, Stack


def assembly_of(folder: Path, name: str, template: dict[str, Any], **more: Any) -> Assembly:
    """One stack of ``template``."""
    return assembly_of_all(folder, {name: template}, **more)


def assembly_of_all(folder: Path, templates: dict[str, dict[str, Any]], **more: Any) -> Assembly:
    """A stack per template, each depending on the one before it."""
    stacks: list[Stack] = []
    for name, template in templates.items():
        path = folder / f"{name}.template.json"
        path.write_text(json.dumps(template))
        before = frozenset({stacks[-1].id}) if stacks else frozenset[str]()
        stacks.append(Stack(id=name, name=name, display_name=name, template_file=path, dependencies=before, **more))
    return Assembly(name="test", directory=folder, stacks=tuple(stacks), stages=())

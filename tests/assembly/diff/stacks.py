"""Stacks by hand for tests of comparisons, and the shortest way to their difference."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from mlplatform_cdk.assembly.diff.dangers import dangers
from mlplatform_cdk.assembly.diff.model import AssemblyDiff, StackDiff
from mlplatform_cdk.assembly.diff.sources import Source
from mlplatform_cdk.assembly.diff.stacks import compare_stacks
from mlplatform_cdk.assembly.findings import Finding

ACCOUNT, REGION = "111122223333", "eu-central-1"
Template = dict[str, Any]


def resource(kind: str, properties: dict[str, Any] | None = None, **attributes: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties or {}, **attributes}


def template(sections: dict[str, Any] | None = None, **resources: dict[str, Any]) -> Template:
    return {"Resources": resources, **(sections or {})}


def source(content: Template, **settings: Any) -> Source:
    return Source(
        key="Try/Stack",
        name="Try-Stack",
        template=content,
        file="Stack.template.json",
        size=len(json.dumps(content)),
        **{"account": ACCOUNT, "region": REGION, **settings},
    )


def difference(before: Template | None, after: Template | None, **settings: Any) -> StackDiff:
    return compare_stacks(
        None if before is None else source(before, **settings), None if after is None else source(after, **settings)
    )


def found(before: Template | None, after: Template | None, **settings: Any) -> tuple[Finding, ...]:
    stack = difference(before, after, **settings)
    return dangers(AssemblyDiff(base="base", head="head", stacks=(stack,), compared=1))


def changed(content: Template, path: str, value: Any) -> Template:
    """A copy with the value at the dotted path of the resource ``X`` set, or taken away where it is None."""
    made = copy.deepcopy(content)
    *way, last = path.split(".")
    place = made["Resources"]["X"]
    for name in way:
        place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
    if value is None:
        del place[last]
    else:
        place[last] = value
    return made


def write(folder: Path, **templates: Template) -> Path:
    """An assembly of one stage ``Try`` with these stacks, as CDK writes it."""
    stage = folder / "assembly-Try"
    stage.mkdir(parents=True)
    nested = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Try", "displayName": "Try"}}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"assembly-Try": nested}}))
    artifacts = {}
    for name, content in templates.items():
        (stage / f"{name}.template.json").write_text(json.dumps(content))
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{ACCOUNT}/{REGION}",
            "properties": {"templateFile": f"{name}.template.json", "stackName": f"Try-{name}"},
            "displayName": f"Try/{name}",
        }
    (stage / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder

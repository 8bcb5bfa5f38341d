"""Writes the bare CDK app that a synthesized assembly stands for: its resources as L1 constructs, and no thought.

What it writes is Python as one would write it by hand without a library: one constructor per resource, each asset
staged from a folder that holds just what ships. A reference that several properties hold is asked for once, as by hand
it would stand in a variable.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import typed_l1

_ATTRIBUTES = ("Condition", "DependsOn", "DeletionPolicy", "Metadata", "UpdateReplacePolicy", "UpdatePolicy")
_HEAD = """\
from functools import cache

from aws_cdk import CfnParameter, CfnResource, Fn, Stack, Stage, {modules}

ref, sub = cache(Fn.ref), cache(Fn.sub)
att = cache(lambda resource, attribute: Fn.get_att(resource, attribute).to_string())
join = cache(lambda delimiter, *parts: Fn.join(delimiter, [*parts]))
zones = cache(lambda region: tuple(Fn.get_azs(region)))
split = cache(lambda delimiter, source: tuple(Fn.split(delimiter, source)))
select = cache(lambda index, choices: Fn.select(index, [*choices]))


def build(app):
    stage = Stage(app, {stage!r})
"""


def write(assembly: Path, folder: Path, *, typed: bool) -> Path:
    """Write the bare app of the only stage in ``assembly``, with its assets; return its module's path.

    :param assembly: what was synthesized.
    :param folder: where the app and its assets go.
    :param typed: use each resource's own L1 class (``CfnBucket``) where its properties allow, not ``CfnResource``.
    """
    (nested,) = assembly.glob("assembly-*")
    lines: list[str] = []
    for name, template, assets in _stacks(nested):
        lines.append(f"    stack = Stack(stage, {name!r}, env={{'account': '123456789012', 'region': 'us-east-1'}})")
        lines += _parameters(template)
        for logical_id, resource in template["Resources"].items():
            lines += _resource(logical_id, resource, typed=typed)
        lines += _assets(assets, nested, folder)
    body = "\n".join([*lines, ""])
    used = sorted({"aws_ecr_assets", "aws_s3_assets", *typed_l1.modules(body)})
    head = _HEAD.format(modules=", ".join(used), stage=nested.name.removeprefix("assembly-"))
    module = folder / "bare.py"
    module.write_text(head + body)
    return module


def templates(assembly: Path) -> dict[str, Any]:
    """The resources of each stack, by its name: what must be the same in the bare app."""
    (nested,) = assembly.glob("assembly-*")
    return {name: template["Resources"] for name, template, _ in _stacks(nested)}


def _stacks(nested: Path) -> Iterator[tuple[str, Any, Any]]:
    artifacts = json.loads((nested / "manifest.json").read_text())["artifacts"]
    for id_, artifact in artifacts.items():
        if artifact["type"] == "aws:cloudformation:stack":
            template = json.loads((nested / artifact["properties"]["templateFile"]).read_text())
            assets = json.loads((nested / f"{id_}.assets.json").read_text())
            yield artifact["displayName"].split("/")[-1].split(" ")[0], template, assets


def _parameters(template: Any) -> Iterator[str]:
    for name, given in template.get("Parameters", {}).items():
        if name != "BootstrapVersion":
            yield f"    CfnParameter(stack, {name!r}, type={given['Type']!r}, default={given.get('Default')!r})"


def _resource(logical_id: str, resource: Any, *, typed: bool) -> Iterator[str]:
    call = typed_l1.constructor(logical_id, resource) if typed else None
    if call is None:
        properties = resource.get("Properties", {})
        call = f"CfnResource(stack, {logical_id!r}, type={resource['Type']!r}, properties={properties!r})"
    yield f"    made = {call}"
    for attribute in _ATTRIBUTES:
        if attribute in resource:
            yield f"    made.add_override({attribute!r}, {resource[attribute]!r})"


def _assets(assets: Any, nested: Path, folder: Path) -> Iterator[str]:
    for key, file in assets.get("files", {}).items():
        if file["source"]["packaging"] == "zip":
            source = _copied(nested / file["source"]["path"], folder / key)
            yield f"    aws_s3_assets.Asset(stack, 'File{key}', path={source!r})"
    for key, image in assets.get("dockerImages", {}).items():
        source = _copied(nested / image["source"]["directory"], folder / key)
        dockerfile = image["source"].get("dockerFile", "Dockerfile")
        arguments = f"directory={source!r}, file={dockerfile!r}"
        yield f"    aws_ecr_assets.DockerImageAsset(stack, 'Image{key}', {arguments})"


def _copied(source: Path, target: Path) -> str:
    shutil.copytree(source, target, dirs_exist_ok=True)
    return str(target)

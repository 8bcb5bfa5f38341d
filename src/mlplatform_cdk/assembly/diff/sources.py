"""Every stack of an assembly, nested stacks included, with what a comparison needs to know of its surroundings."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.documents import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mlplatform_cdk.assembly.reader import Assembly, Stack

NESTED = "AWS::CloudFormation::Stack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One stack as it was synthesized.

    :param key: what it is paired by: its path in the app, and for a nested stack its logical ids.
    :param name: its name in CloudFormation; of a nested stack, its parent's.
    :param paths: logical id to construct path.
    :param assets: ids of the assets that the stack's manifests list, the hashes of their content.
    :param parent: the key of the stack that holds it; default: none.
    :param file: the template, relative to the assembly.
    :param nested: logical id of each nested stack whose template is at hand, to its file.
    :param passed: of a nested stack, what its parent's template gives to its parameters.
    :param foreign: it is compared with a stack of another name on purpose, so that its name says nothing.
    """

    key: str
    name: str
    template: Mapping[str, Any]
    file: str
    size: int
    account: str | None = None
    region: str | None = None
    paths: Mapping[str, str] = field(default_factory=dict)
    assets: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)
    termination_protection: bool = False
    parent: str | None = None
    nested: Mapping[str, Path] = field(default_factory=dict)
    passed: Mapping[str, Any] = field(default_factory=dict)
    foreign: bool = False

    @property
    def resources(self) -> Mapping[str, dict[str, Any]]:
        """Logical id to resource, without CDK's own analytics."""
        every = self.template.get("Resources") or {}
        return {
            name: resource
            for name, resource in every.items()
            if not _is_loop(name, resource) and resource.get("Type") != "AWS::CDK::Metadata"
        }

    @property
    def loops(self) -> Mapping[str, Any]:
        """What stands among the resources without being one: Fn::ForEach and Fn::Transform, which AWS expands."""
        every = self.template.get("Resources") or {}
        return {name: one for name, one in every.items() if _is_loop(name, one)}

    @property
    def settled(self) -> Mapping[str, Any]:
        """The parameters of a nested stack that are literals: what its parent gives them, else their defaults."""
        declared = self.template.get("Parameters") if self.parent else None
        every = {
            name: self.passed.get(name, parameter.get("Default"))
            for name, parameter in (declared or {}).items()
            if isinstance(parameter, dict)
        }
        return {name: value for name, value in every.items() if isinstance(value, str | bool | int | float)}

    @property
    def identity(self) -> tuple[str | None, str | None, str]:
        """What CloudFormation knows the stack by: account, region and name."""
        return self.account, self.region, self.name

    def path_of(self, logical_id: str) -> str:
        """The construct that made the resource, as far as the assembly tells."""
        metadata = self.template["Resources"][logical_id].get("Metadata")
        told = metadata.get("aws:cdk:path") if isinstance(metadata, dict) else None
        return str(told) if told else self.paths.get(logical_id, "")


def _is_loop(name: str, resource: Any) -> bool:
    return not isinstance(resource, dict) or name.startswith("Fn::")


def sources(assembly: Assembly) -> dict[str, Source]:
    """The assembly's stacks by key, in the order in which they can be deployed."""
    root = assembly.directory.resolve()
    return {source.key: source for key, stack in assembly.named_stacks().items() for source in _of(stack, key, root)}


def _of(stack: Stack, key: str, root: Path) -> Iterator[Source]:
    assets = frozenset(asset for manifest in stack.asset_manifests for asset in _asset_ids(manifest))
    files = {asset: path for manifest in stack.asset_manifests for asset, path in _asset_files(manifest).items()}
    template = stack.template
    top = Source(
        key=key,
        name=stack.name,
        template=template,
        file=_relative(stack.template_file, root),
        size=stack.template_file.stat().st_size,
        account=stack.account,
        region=stack.region,
        paths=_paths(stack),
        assets=assets,
        tags=stack.tags,
        termination_protection=stack.termination_protection,
        nested=_nested(template, stack.template_file.parent, files),
    )
    yield top
    yield from _inside(top, root, files)


def _inside(parent: Source, root: Path, files: Mapping[str, Path]) -> Iterator[Source]:
    for logical_id, file in parent.nested.items():
        template = load(file, "nested template")
        inner = replace(
            parent,
            key=f"{parent.key}/{logical_id}",
            template=template,
            file=_relative(file, root),
            size=file.stat().st_size,
            parent=parent.key,
            nested=_nested(template, file.parent, files),
            passed=_passed(parent, logical_id, template),
        )
        yield inner
        yield from _inside(inner, root, files)


def _passed(parent: Source, logical_id: str, template: Mapping[str, Any]) -> dict[str, Any]:
    properties = parent.template["Resources"][logical_id].get("Properties")
    given = properties.get("Parameters") if isinstance(properties, dict) else None
    declared = template.get("Parameters") or {}
    if not isinstance(given, dict) or not given.keys() & declared.keys():
        return dict.fromkeys(declared, given) if given else {}  # a function decides over all of them
    known = {name: parent.settled.get(_referred(value), value) for name, value in given.items()}
    return {name: value for name, value in known.items() if _referred(value) != "AWS::NoValue"}


def _referred(value: Any) -> str:
    return str(value["Ref"]) if isinstance(value, dict) and list(value) == ["Ref"] else ""


def _nested(template: Mapping[str, Any], folder: Path, files: Mapping[str, Path]) -> dict[str, Path]:
    named = {
        logical_id: _nested_file(resource, folder, files)
        for logical_id, resource in (template.get("Resources") or {}).items()
        if isinstance(resource, dict) and resource.get("Type") == NESTED
    }
    return {logical_id: file for logical_id, file in named.items() if file is not None and file.is_file()}


def _nested_file(resource: Mapping[str, Any], folder: Path, files: Mapping[str, Path]) -> Path | None:
    """The cdk CLI asks for metadata that name the file; without them, the URL ends in the asset's id."""
    metadata = resource.get("Metadata")
    named = metadata.get("aws:asset:path") if isinstance(metadata, dict) else None
    if named:
        return folder / str(named)
    url = json.dumps((resource.get("Properties") or {}).get("TemplateURL"))
    return next((file for asset, file in files.items() if f"/{asset}.json" in url), None)


def _asset_files(manifest: Path) -> dict[str, Path]:
    files = load(manifest, "asset manifest").get("files", {})
    return {asset: manifest.parent / str(file.get("source", {}).get("path", "")) for asset, file in files.items()}


def _asset_ids(manifest: Path) -> list[str]:
    document = load(manifest, "asset manifest")
    return [*document.get("files", {}), *document.get("dockerImages", {})]


def _paths(stack: Stack) -> dict[str, str]:
    """From the manifest's metadata, or from the file beside it into which newer apps write."""
    folder = stack.template_file.parent
    artifact = load(folder / "manifest.json", "cloud assembly")["artifacts"].get(stack.id, {})
    metadata = dict(artifact.get("metadata") or {})
    beside = artifact.get("additionalMetadataFile")
    if beside and (folder / beside).is_file():
        metadata.update(load(folder / beside, "metadata"))
    return {
        str(entry["data"]): path.strip("/")
        for path, entries in metadata.items()
        for entry in entries
        if entry.get("type") == "aws:cdk:logicalId"
    }


def _relative(file: Path, root: Path) -> str:
    resolved = file.resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else resolved.as_posix()

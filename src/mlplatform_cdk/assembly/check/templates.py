"""The templates of an assembly, nested stacks included, and which construct made which resource."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mlplatform_cdk.assembly.check.loose import mapping
from mlplatform_cdk.assembly.check.references import References
from mlplatform_cdk.assembly.documents import load
from mlplatform_cdk.assembly.findings import Finding, Severity
from mlplatform_cdk.assembly.reader import Assembly, Stack

_LOGICAL_ID, _ACKNOWLEDGED = "aws:cdk:logicalId", "aws:cdk:acknowledged-rules"
_ANNOTATIONS = {"aws:cdk:error": Severity.ERROR, "aws:cdk:warning": Severity.WARNING, "aws:cdk:info": Severity.INFO}


@dataclass(frozen=True)
class Template:
    """One template, and what the assembly knows beside it.

    :param stack: the display name of the stack, with a nested stack's logical id behind it.
    :param file: the template, relative to the assembly.
    :param paths: logical id to the path of its construct.
    :param acknowledged: construct path, rule and reason, as the app's own acknowledgements have them.
    :param assets: object key of each file asset to the file or folder.
    """

    stack: str
    file: str
    path: Path
    document: Mapping[str, Any]
    account: str | None = None
    region: str | None = None
    paths: Mapping[str, str] = field(default_factory=dict)
    acknowledged: tuple[tuple[str, str, str], ...] = ()
    assets: Mapping[str, Path] = field(default_factory=dict)

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """All resources, in the template's order."""
        return tuple(
            Resource(self, name, resource)
            for name, resource in mapping(self.document.get("Resources")).items()
            if isinstance(resource, Mapping)  # Fn::ForEach is a list
        )

    def of_type(self, *types: str) -> Iterator[Resource]:
        """The resources of these types."""
        return (resource for resource in self.resources if resource.type in types)

    @cached_property
    def references(self) -> References:
        """Fills in references as this stack would."""
        region = self.region or "us-east-1"
        partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
        return References(self.document, self.account or "123456789012", region, partition)

    def asset(self, key: Any) -> Path | None:
        """The file or folder that ``S3Key`` names."""
        return self.assets.get(self.references.text(key))

    def finding(self, rule: str, severity: Severity, message: str, logical_id: str = "", **more: Any) -> Finding:
        """A finding in this template."""
        return Finding(
            rule=rule,
            severity=severity,
            message=message,
            stack=self.stack,
            logical_id=logical_id,
            construct_path=self.paths.get(logical_id, ""),
            file=self.file,
            **more,
        )


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    template: Template = field(repr=False)
    logical_id: str
    document: Mapping[str, Any] = field(repr=False)

    @property
    def type(self) -> str:
        """Such as ``AWS::S3::Bucket``."""
        return str(self.document.get("Type", ""))

    @property
    def properties(self) -> Mapping[str, Any]:
        """Its properties, intrinsic functions as they stand in the template."""
        properties = self.document.get("Properties", {})
        return properties if isinstance(properties, Mapping) else {}

    @property
    def construct_path(self) -> str:
        """The construct that made it; empty where the assembly does not say."""
        return self.template.paths.get(self.logical_id, "")

    def get(self, path: str) -> Any:
        """The property at a dotted path, such as ``BucketEncryption.KMSMasterKeyID``; None where it is absent."""
        value: Any = self.properties
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def finding(self, rule: str, severity: Severity, message: str, **more: Any) -> Finding:
        """A finding at this resource."""
        return self.template.finding(rule, severity, message, self.logical_id, **more)


def templates(assembly: Assembly) -> tuple[Template, ...]:
    """Every template of every stack, nested ones behind their parents."""
    root = assembly.directory
    return tuple(found for name, stack in assembly.named_stacks().items() for found in _of_stack(root, name, stack))


def noted(assembly: Assembly) -> Iterator[Finding]:
    """What the app itself noted at its constructs, with ``Annotations.of(...)``."""
    for name, stack in assembly.named_stacks().items():
        for path, kind, data in _metadata(stack):
            if kind in _ANNOTATIONS:
                yield Finding(
                    rule="cdk-annotation",
                    severity=_ANNOTATIONS[kind],
                    message=str(data),
                    stack=name,
                    construct_path=path,
                    file=_relative(assembly.directory, stack.template_file),
                    tools=("the app",),
                )


def _of_stack(root: Path, name: str, stack: Stack) -> Iterator[Template]:
    metadata = list(_metadata(stack))
    placed = [(path, str(data)) for path, kind, data in metadata if kind == _LOGICAL_ID]
    template = Template(
        stack=name,
        file=_relative(root, stack.template_file),
        path=stack.template_file,
        document=stack.template,
        account=stack.account,
        region=stack.region,
        paths=_paths(stack.template, placed),
        acknowledged=tuple(
            (path, re.sub(r"^annotation::", "", rule, flags=re.IGNORECASE), reason)
            for path, kind, data in metadata
            if kind == _ACKNOWLEDGED and isinstance(data, Mapping)
            for rule, reason in data.items()
        ),
        assets=_assets(stack),
    )
    yield template
    yield from _nested(root, template, placed)


def _nested(root: Path, parent: Template, placed: list[tuple[str, str]]) -> Iterator[Template]:
    for resource in parent.of_type("AWS::CloudFormation::Stack"):
        path = _nested_file(parent, resource)
        if path is None:
            continue
        document = load(path, "template")
        # CDK keeps Parent/Name.NestedStack/... for the stack, and Parent/Name/... for what is in it.
        inside = resource.construct_path.split(".NestedStack/")[0] + "/"
        child = Template(
            stack=f"{parent.stack}/{resource.logical_id}",
            file=_relative(root, path),
            path=path,
            document=document,
            account=parent.account,
            region=parent.region,
            paths=_paths(document, [(place, name) for place, name in placed if place.startswith(inside)]),
            acknowledged=parent.acknowledged,
            assets=parent.assets,
        )
        yield child
        yield from _nested(root, child, placed)


def _nested_file(parent: Template, resource: Resource) -> Path | None:
    named = mapping(resource.document.get("Metadata")).get("aws:asset:path")
    if isinstance(named, str) and (parent.path.parent / named).is_file():
        return parent.path.parent / named
    url = json.dumps(resource.properties.get("TemplateURL", ""))
    return next((path for key, path in parent.assets.items() if key in url and path.is_file()), None)


def _paths(document: Mapping[str, Any], placed: list[tuple[str, str]]) -> dict[str, str]:
    """The app's own record first; the resource's metadata where the app kept it there."""
    found: dict[str, str] = {}
    for path, name in placed:
        found.setdefault(name, path)
    resources = mapping(document.get("Resources"))
    for name, resource in resources.items():
        kept = mapping(mapping(resource).get("Metadata")).get("aws:cdk:path")
        if isinstance(kept, str):
            found[name] = kept
    return {name: path for name, path in found.items() if name in resources}


def _metadata(stack: Stack) -> Iterator[tuple[str, str, Any]]:
    """Construct path, type and data, from the manifest or from the file that it names."""
    folder = stack.template_file.parent
    artifact = load(folder / "manifest.json", "cloud assembly")["artifacts"][stack.id]
    entries = dict(artifact.get("metadata", {}))
    if "additionalMetadataFile" in artifact:
        entries.update(load(folder / artifact["additionalMetadataFile"], "metadata"))
    for path, listed in entries.items():
        for entry in listed:
            yield path.removeprefix("/"), str(entry.get("type", "")), entry.get("data")


def _assets(stack: Stack) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for manifest in stack.asset_manifests:
        for asset in load(manifest, "asset manifest").get("files", {}).values():
            source = asset.get("source", {}).get("path")
            for destination in asset.get("destinations", {}).values():
                if source:
                    files[str(destination.get("objectKey", ""))] = (manifest.parent / source).resolve()
    return files


def _relative(root: Path, path: Path) -> str:
    return path.resolve().relative_to(root.resolve()).as_posix()

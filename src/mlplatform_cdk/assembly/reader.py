"""The manifest of a cloud assembly: its stages, and their stacks in the order in which they can be deployed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.assets import FileAsset, ImageAsset, read_assets
from mlplatform_cdk.assembly.documents import load, member
from mlplatform_cdk.assembly.errors import AssemblyError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ENVIRONMENT = re.compile(r"aws://([^/]+)/([^/]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One stack, ready to be deployed.

    :param id: the artifact's id in the manifest, which dependencies name.
    :param name: the name in CloudFormation.
    :param display_name: the path in the CDK app, such as ``MlPlatform-Dev/Foundation``.
    :param account: its account; default: None, whoever deploys it.
    :param region: its region; default: None, wherever it is deployed.
    :param dependencies: ids of the stacks that must stand before it.
    """

    id: str
    name: str
    display_name: str
    template_file: Path
    account: str | None = None
    region: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    dependencies: frozenset[str] = frozenset()
    termination_protection: bool = False
    asset_manifests: tuple[Path, ...] = ()

    @property
    def path(self) -> str:
        """Its path in the app: the display name without the name in CloudFormation, which CDK may put behind it."""
        return self.display_name.removesuffix(f" ({self.name})")

    @property
    def place(self) -> str:
        """Account and region."""
        return f"{self.account or 'any account'}/{self.region or 'any region'}"

    @property
    def folder(self) -> str:
        """The folder of the assembly that holds it, and its id there."""
        return f"{self.template_file.parent.name}/{self.id}"

    @property
    def template(self) -> dict[str, Any]:
        """The CloudFormation template."""
        return load(self.template_file, "template")

    def assets(self, *, account: str, region: str) -> tuple[tuple[FileAsset, ...], tuple[ImageAsset, ...]]:
        """Files and images, the template itself among the files.

        :param account: stands in where the app named no account.
        :param region: stands in where the app named no region.
        """
        placeholders = {
            "AccountId": self.account or account,
            "Region": self.region or region,
            "Partition": "aws",
        }
        files: list[FileAsset] = []
        images: list[ImageAsset] = []
        for manifest in self.asset_manifests:
            more_files, more_images = read_assets(manifest, placeholders)
            files.extend(more_files)
            images.extend(more_images)
        return tuple(files), tuple(images)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """A cloud assembly, or one stage of one."""

    name: str
    directory: Path
    stacks: tuple[Stack, ...]
    stages: tuple[Assembly, ...]

    def stage(self, name: str) -> Assembly:
        """The stage called ``name``, at any depth."""
        found = {stage.name: stage for stage in self._all_stages()}
        if name not in found:
            known = ", ".join(sorted(found)) or "none"
            raise AssemblyError(f"{self.directory} has no stage {name!r}; its stages are: {known}")
        return found[name]

    def all_stacks(self) -> tuple[Stack, ...]:
        """Its own stacks and those of its stages, each after those that it depends on."""
        # Each assembly's are in order, and none depends on one of another; ids are unique in their own assembly only.
        return (*self.stacks, *(stack for stage in self._all_stages() for stack in stage.stacks))

    def named_stacks(self) -> dict[str, Stack]:
        """All its stacks, each under a name of its own: its path in the app, and where it runs if two share a path."""
        every = self.all_stacks()
        names = [stack.path for stack in every]
        for places in ([stack.place for stack in every], [stack.folder for stack in every]):
            shared = {name for name in names if names.count(name) > 1}
            names = [f"{name} @ {place}" if name in shared else name for name, place in zip(names, places, strict=True)]
        return dict(zip(names, every, strict=True))

    def _all_stages(self) -> list[Assembly]:
        return [inner for stage in self.stages for inner in (stage, *stage._all_stages())]  # noqa: SLF001 -- its own kind


def read(directory: Path) -> Assembly:
    """The cloud assembly in ``directory``, usually ``cdk.out``."""
    return _read(directory, directory.name)


def _read(directory: Path, name: str) -> Assembly:
    manifest = load(directory / "manifest.json", "cloud assembly")
    artifacts: dict[str, dict[str, Any]] = member(manifest, "artifacts", str(directory / "manifest.json"))
    stacks = [
        _stack(directory, artifact_id, artifacts)
        for artifact_id, artifact in artifacts.items()
        if artifact.get("type") == "aws:cloudformation:stack"
    ]
    stages = tuple(
        _read(directory / properties["directoryName"], properties.get("displayName", artifact_id))
        for artifact_id, artifact in artifacts.items()
        if artifact.get("type") == "cdk:cloud-assembly"
        for properties in [member(artifact, "properties", artifact_id)]
    )
    return Assembly(name=name, directory=directory, stacks=_in_order(stacks), stages=stages)


def _stack(directory: Path, artifact_id: str, artifacts: dict[str, dict[str, Any]]) -> Stack:
    artifact = artifacts[artifact_id]
    properties = member(artifact, "properties", f"stack {artifact_id} in {directory}")
    account, region = _environment(artifact.get("environment", ""), artifact.get("displayName", artifact_id))
    dependencies = artifact.get("dependencies", [])
    return Stack(
        id=artifact_id,
        name=properties.get("stackName", artifact_id),
        display_name=artifact.get("displayName", artifact_id),
        template_file=directory / member(properties, "templateFile", f"stack {artifact_id} in {directory}"),
        account=account,
        region=region,
        parameters=properties.get("parameters", {}),
        tags=properties.get("tags", {}),
        dependencies=frozenset(d for d in dependencies if _type(artifacts, d) == "aws:cloudformation:stack"),
        termination_protection=properties.get("terminationProtection", False),
        asset_manifests=tuple(
            directory / artifacts[d]["properties"]["file"]
            for d in dependencies
            if _type(artifacts, d) == "cdk:asset-manifest"
        ),
    )


def _type(artifacts: dict[str, dict[str, Any]], artifact_id: str) -> str | None:
    return artifacts.get(artifact_id, {}).get("type")


def _environment(text: Any, stack: str) -> tuple[str | None, str | None]:
    match = _ENVIRONMENT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise AssemblyError(f"the environment of the stack {stack} must read aws://<account>/<region>, got {text!r}")
    account, region = match.groups()
    return (
        None if account == "unknown-account" else account,
        None if region == "unknown-region" else region,
    )


def _in_order(stacks: list[Stack]) -> tuple[Stack, ...]:
    by_id = {stack.id: stack for stack in stacks}
    graph = {stack.id: sorted(stack.dependencies & by_id.keys()) for stack in stacks}
    try:
        return tuple(by_id[stack_id] for stack_id in TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise AssemblyError(f"stacks depend on one another in a circle: {' -> '.join(error.args[1])}") from None

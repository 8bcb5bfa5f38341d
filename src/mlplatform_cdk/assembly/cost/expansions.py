"""What a template leaves to AWS to write out: loops, includes and macros, whose resources nobody sees before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.lines import Place
from mlplatform_cdk.assembly.cost.resources import room_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.diff.sources import Source

# The first gives functions to the template and the loops, which are told one by one; the other's types tell themselves.
_TOLD = {"AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"}


def expansions(source: Source, region: str) -> Iterator[tuple[Place, str]]:
    """Each place where AWS writes out resources, with its words.

    :param region: of the stack, or what stands in for it.
    """
    for name in source.loops:
        yield _place(source, name, region), "resources that AWS writes out at deployment"
    for name, one in source.resources.items():
        properties = one.get("Properties")
        if isinstance(properties, dict) and any(str(member).startswith("Fn::") for member in properties):
            yield _place(source, name, region), "properties that AWS writes out at deployment"
    transforms = source.template.get("Transform") or []
    for one in transforms if isinstance(transforms, list) else [transforms]:
        name = str(one.get("Name")) if isinstance(one, dict) else str(one)
        if name not in _TOLD:
            yield _place(source, name, region), "what a transform adds to the template"


def _place(source: Source, name: str, region: str) -> Place:
    return Place(
        stack=source.key,
        room=room_of(source.parent or source.key, ""),
        logical_id=name,
        path=f"{source.key}/{name}",
        type=name,
        region=region,
    )

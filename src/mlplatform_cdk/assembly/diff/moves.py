"""Resources under a new logical id: to CloudFormation one that goes and one that comes, to its author a rename."""

from __future__ import annotations

import json
import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mlplatform_cdk.assembly.diff.canonical import Resource

NEARLY = 0.8  # the share of equal properties from which two resources count as one
# Their ids carry a hash of their content by design: a new id is a new version, and the old one is kept or not wanted.
VERSIONS = {"AWS::Lambda::Version", "AWS::ApiGateway::Deployment", "AWS::Lambda::LayerVersion"}


def renamed(removed: Iterable[Resource], added: Iterable[Resource]) -> dict[str, str]:
    """Logical ids before to those after, each used once, the likeliest pairs first."""
    gone, new = list(removed), list(added)
    kinds = {one.logical_id: one.type for one in (*gone, *new)}
    leaves = {one.logical_id: leaves_of(one, kinds) for one in (*gone, *new)}
    candidates = sorted(
        (-same, -_resemblance(old, fresh), old.logical_id, fresh.logical_id)
        for old in gone
        for fresh in new
        if old.type == fresh.type and old.type not in VERSIONS
        if (same := share(leaves[old.logical_id], leaves[fresh.logical_id])) >= NEARLY
    )
    pairs: dict[str, str] = {}
    for _, _, old_id, new_id in candidates:
        if old_id not in pairs and new_id not in pairs.values():
            pairs[old_id] = new_id
    return pairs


def leaves_of(resource: Resource, kinds: Mapping[str, str]) -> frozenset[object]:
    """Each value of the resource with its path.

    :param kinds: types of the logical ids that come or go.
    """
    return frozenset(_leaves((), resource.properties, kinds))


def share(mine: frozenset[object], theirs: frozenset[object]) -> float:
    """How much of both is the same, from 0 to 1."""
    return len(mine & theirs) / len(mine | theirs) if mine | theirs else 1.0


def _resemblance(old: Resource, new: Resource) -> float:
    """How much the constructs' paths are alike."""
    return SequenceMatcher(a=old.path or old.logical_id, b=new.path or new.logical_id).ratio()


def _leaves(path: tuple[str, ...], value: Any, kinds: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves((*path, name), member, kinds)
    elif isinstance(value, list):
        for member in value:
            yield (*path, "*"), _unnamed(json.dumps(member, sort_keys=True), kinds)
    else:
        yield path, _unnamed(str(value), kinds)


def _unnamed(text: str, kinds: Mapping[str, str]) -> str:
    """The text with the ids that come or go named by their types, since they may be renames themselves."""
    return re.sub(r"\$\{([A-Za-z0-9]+)(?=[.}])", lambda match: f"${{{kinds.get(match[1], match[1])}", text)

"""Statements whose conditions the embedded AWS cannot compute: they neither allow nor deny here, and are named."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unevaluated:
    """A statement that was left out, and why.

    :param policy: where it stands.
    :param statement: its Sid, or its actions.
    :param effect: what it would have done.
    :param keys: the condition keys that have no value here.
    """

    policy: str
    statement: str
    effect: str
    keys: tuple[str, ...]


_lock = threading.Lock()
_seen: dict[Unevaluated, None] = {}


def record(policy: str, body: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Note that a statement was left out; the first time it is also logged.

    :param policy: where it stands.
    :param body: the statement.
    :param keys: the condition keys that have no value here.
    """
    actions = body.get("Action", body.get("NotAction", ""))
    name = str(body.get("Sid") or (", ".join(actions) if isinstance(actions, list) else actions))
    note = Unevaluated(policy, name, str(body.get("Effect")), tuple(keys))
    with _lock:
        known = note in _seen
        _seen[note] = None
    if not known:
        does = "denies" if note.effect == "Deny" else "allows"
        LOG.warning(
            "policy %s: the statement %s (%s) has conditions that cannot be evaluated here (%s); it %s nothing",
            note.policy,
            note.statement,
            note.effect,
            ", ".join(note.keys),
            does,
        )


def all_of_them() -> list[dict[str, Any]]:
    """Every statement left out so far, in the order of their first meeting."""
    with _lock:
        return [asdict(note) for note in _seen]

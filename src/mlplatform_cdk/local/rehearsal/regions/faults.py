"""What happens to a region: its front is shut or hangs, its answers come late, or its model is wrong there alone."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mlplatform_cdk.local.rehearsal.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from mlplatform_cdk.local.settings import Settings

Kind = Literal["killed", "hanging", "slow", "wrong"]

FRONTS = "/_embedded/api_gateway/fronts"
# More than the model's budget of 250 ms and the probe's allowance of 350 ms for the way.
DELAY_MS = 800.0
_EVERYWHERE = "everywhere"
_HOOKS = '''"""Right until a file appears, as if a disk went bad in a region, or one that all depend on."""

import os
import pathlib

BAD = pathlib.Path({folder!r}) / {name}


def postprocess(outputs):
    if BAD.exists():
        return {{"label": 1 - outputs["label"], "score": -outputs["score"]}}
    return outputs
'''


@dataclass(slots=True)
class Fronts:
    """The regions' fronts, and what is done to them.

    :param settings: the embedded AWS.
    :param folder: where the model looks whether it is wrong in its region; every process of this machine may read it.
    """

    settings: Settings
    folder: Path
    ports: dict[str, int] = field(default_factory=dict)

    def look(self) -> dict[str, int]:
        """The port of each region's front; they are started where they are not."""
        self.ports = {region: int(one["port"]) for region, one in self._ask("GET", None).items()}
        return self.ports

    def model(self) -> Fault:
        """The version that all regions serve, the same archive in each."""
        hooks = _HOOKS.format(folder=str(self.folder), name='os.environ["AWS_REGION"]')
        return Fault(name="one", sentence="the same in every region", hooks=hooks)

    def another(self) -> Fault:
        """A version that is right until ``spoil``, and then wrong wherever it serves."""
        hooks = _HOOKS.format(folder=str(self.folder), name=repr(_EVERYWHERE))
        return Fault(name="two", sentence="wrong everywhere once it is told", hooks=hooks)

    def spoil(self) -> None:
        """Let the other version be wrong."""
        (self.folder / _EVERYWHERE).touch()

    def heal(self) -> None:
        """Let it be right."""
        (self.folder / _EVERYWHERE).unlink(missing_ok=True)

    def strike(self, region: str, kind: Kind) -> None:
        """Let the fault begin."""
        if kind == "killed":
            self._change(region, state="shut")
        elif kind == "hanging":
            self._change(region, state="hangs")
        elif kind == "slow":
            self._change(region, delay_ms=DELAY_MS)
        else:
            (self.folder / region).touch()

    def restore(self, region: str) -> None:
        """Let every fault end."""
        (self.folder / region).unlink(missing_ok=True)
        self._change(region, state="up", delay_ms=0.0)

    def _change(self, region: str, **change: Any) -> None:
        self._ask("PUT", {region: change})

    def _ask(self, verb: str, change: dict[str, Any] | None) -> dict[str, Any]:
        body = None if change is None else json.dumps(change).encode()
        request = urllib.request.Request(f"{self.settings.endpoint_url}{FRONTS}", data=body, method=verb)  # noqa: S310 - our own server
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
            found: dict[str, Any] = json.loads(answer.read())
        return found

"""Which tools are here, and how they are called."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

TOOLS = ("buildah", "debootstrap", "unshare", "setpriv")
_NICE = ("nice", "-n", "5")


class ToolError(RuntimeError):
    """A tool ended with an error."""


def missing() -> list[str]:
    """What a real build lacks on this machine; empty where it can be done."""
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        absent.append("root")
    return absent


def run(command: Sequence[str | Path], *, environment: dict[str, str] | None = None) -> str:
    """What ``command`` writes to standard output.

    :raises ToolError: when it fails, with the end of what it said.
    """
    words = [*_NICE, *map(str, command)]
    ended = subprocess.run(  # noqa: S603 - our own commands
        words, env=os.environ | (environment or {}), capture_output=True, text=True, check=False
    )
    if ended.returncode:
        said = (ended.stdout + ended.stderr).strip()[-2000:]
        raise ToolError(f"{command[0]} {command[1]} ended with {ended.returncode}: {said}")
    return ended.stdout


class Buildah:
    """buildah with a store of its own, so that nothing of the machine's is touched.

    :param folder: where the store lies; overlay needs a file system that is none itself.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / "storage.conf"
        store = f'driver = "overlay"\ngraphroot = "{folder}/storage"\nrunroot = "{folder}/run"\n'
        settings.write_text(f"[storage]\n{store}", encoding="utf-8")
        self._environment = {"CONTAINERS_STORAGE_CONF": str(settings), "BUILDAH_ISOLATION": "chroot"}

    def __call__(self, *words: str | Path) -> str:
        """Run one command of buildah; what it writes, without the line's end."""
        return run(("buildah", *words), environment=self._environment).strip()

    def has(self, image: str) -> bool:
        """Whether the store holds ``image``."""
        return bool(self("images", "--quiet", "--filter", f"reference={image}"))

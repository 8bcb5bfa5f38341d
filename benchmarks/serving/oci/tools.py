"""Which tools are here, and how they are called."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeGuard

TOOLS = ("buildah", "debootstrap", "unshare", "setpriv")
# Debian's name of a processor, and the kernel's.
PROCESSORS: Mapping[str, str] = {"arm64": "aarch64"}
_EMULATORS = Path("/proc/sys/fs/binfmt_misc")
_NICE = ("nice", "-n", "5")


class ToolError(RuntimeError):
    """A tool ended with an error."""


def missing(arch: str | None = None) -> list[str]:
    """What a real build lacks on this machine; empty where it can be done.

    :param arch: one of ``PROCESSORS``; default: this machine's own.
    """
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        absent.append("root")
    if emulated(arch) and "F" not in _flags(f"qemu-{PROCESSORS[arch]}"):
        absent.append(f"qemu-{PROCESSORS[arch]} in the kernel's binfmt_misc with flag F (package qemu-user-static)")
    return absent


def emulated(arch: str | None) -> TypeGuard[str]:
    """Whether programs of ``arch`` are not this machine's own."""
    return arch is not None and PROCESSORS[arch] != platform.machine()


def _flags(emulator: str) -> str:
    """Of the emulator's registration; F: the kernel opened it then, so that it is there in any root. Empty: none."""
    path = _EMULATORS / emulator
    lines = path.read_text(encoding="ascii").splitlines() if path.is_file() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("flags:")), "")


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
    :param arch: what images are for, one of ``PROCESSORS``, each with its own store; default: this machine's own.

    ``platform`` is the option that says so, which debootstrap has too; ``emulated``: whether this machine is another.
    """

    def __init__(self, folder: Path, arch: str | None = None) -> None:
        self.platform = (f"--arch={arch}",) if arch else ()
        self.emulated = emulated(arch)
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

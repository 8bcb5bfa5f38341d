"""The cloud assembly of an app as it was at a git revision, made in a worktree that is gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.errors import AssemblyError
from mlplatform_cdk.assembly.synthesize import synthesize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def synthesize_at(revision: str, app_dir: Path, output: Path, *, context: Mapping[str, Any] | None = None) -> Path:
    """Synthesize the app of ``app_dir`` as it was at ``revision``, and return the folder of its assembly.

    :param revision: anything that git knows: a branch, a tag, a commit.
    :param output: where the assembly goes.
    :raises AssemblyError: where git knows no such revision.
    """
    top, commit = _found(revision, app_dir)
    with _worktree(top, commit) as tree:
        there = tree / app_dir.resolve().relative_to(top.resolve())
        if not (there / "cdk.json").is_file():
            raise AssemblyError(f"{revision} has no cdk.json in {app_dir}; go to the folder that had the app then")
        variables = {"PYTHONPATH": _python_path(top.resolve(), tree)}
        return synthesize(there, output, context=context, validate=False, variables=variables)


@contextmanager
def _worktree(top: Path, commit: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mlplatform-diff-") as folder:
        tree = Path(folder).resolve() / "tree"
        _git(top, "worktree", "add", "--detach", "--quiet", str(tree), commit)
        try:
            yield tree
        finally:
            _git(top, "worktree", "remove", "--force", str(tree))


def _python_path(top: Path, tree: Path) -> str:
    """The worktree's own packages before those of the checkout, which an editable installation would give."""
    ours = [Path(entry).resolve() for entry in sys.path if entry]
    inside = [
        entry.relative_to(top) for entry in ours if entry.is_relative_to(top) and "site-packages" not in entry.parts
    ]
    given = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join([*(str(tree / entry) for entry in inside), *([given] if given else [])])


def _found(revision: str, app_dir: Path) -> tuple[Path, str]:
    """The repository and the commit."""
    top, complaint = _run(app_dir, "rev-parse", "--show-toplevel")
    if complaint is not None:
        raise AssemblyError(
            f"{revision!r} is no cloud assembly, as it has no manifest.json, and no revision, as git says: {complaint}"
        )
    wanted = f"{revision}^{{commit}}"
    commit, complaint = _run(app_dir, "rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
    if complaint is not None:
        raise AssemblyError(f"{revision!r} is neither a cloud assembly nor a revision that git knows in {app_dir}")
    return Path(top.strip()), commit.strip()


def _git(folder: Path, *arguments: str) -> str:
    said, complaint = _run(folder, *arguments)
    if complaint is not None:
        raise AssemblyError(f"git {arguments[0]} failed: {complaint}")
    return said


def _run(folder: Path, *arguments: str) -> tuple[str, str | None]:
    """What git says, and what it complains of; None where it succeeded."""
    try:
        result = subprocess.run(  # noqa: S603 -- git, with arguments of ours and a revision that cannot be an option
            ["git", "-C", str(folder), *arguments],  # noqa: S607 -- the user's own git
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise AssemblyError("comparing revisions needs git, which is not installed; name two assemblies") from None
    if result.returncode == 0:
        return result.stdout, None
    return "", " ".join(result.stderr.split()) or f"exit code {result.returncode}"

"""The base image: a Debian with its Python, and the same with pip, to build in."""

import shutil
from pathlib import Path

from benchmarks.serving.oci.tools import Buildah, ToolError, run

BASE, BUILDER = "localhost/base", "localhost/builder"
_PYTHON = "python3,python-is-python3"
_RELEASE = Path("/etc/os-release")
_SOURCES = (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*")))
# Of apt's own: an image needs none of it.
_LEFTOVERS = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man")


def make(buildah: Buildah, folder: Path, release: str | None = None) -> None:
    """Make both images in the store of ``buildah``, if they are not there.

    :param folder: for the tree that debootstrap makes; it is removed again.
    :param release: Debian's name of it, such as ``trixie``, whose Python is 3.13; default: this machine's own.
    """
    if buildah.has(BASE) and buildah.has(BUILDER):
        return
    tree = folder / "debian"
    shutil.rmtree(tree, ignore_errors=True)
    run(
        (
            "debootstrap",
            "--variant=minbase",
            f"--include={_PYTHON}",
            *buildah.platform,
            release or _codename(),
            tree,
            _mirror(),
        )
    )
    for name in _LEFTOVERS:
        shutil.rmtree(tree / name, ignore_errors=True)
    container = buildah("from", *buildah.platform, "scratch")
    buildah("add", "--quiet", container, tree, "/")
    buildah("commit", "--quiet", container, BASE)
    install = "apt-get update -q && apt-get install -y -q --no-install-recommends python3-pip"
    buildah("run", container, "sh", "-c", install)
    buildah("commit", "--quiet", "--rm", container, BUILDER)
    shutil.rmtree(tree)


def _codename() -> str:
    lines = dict(line.split("=", 1) for line in _RELEASE.read_text().splitlines() if "=" in line)
    return lines["VERSION_CODENAME"].strip('"')


def _mirror() -> str:
    """The first address in apt's own sources, in either of their two formats."""
    for path in _SOURCES:
        for line in path.read_text().splitlines() if path.is_file() else ():
            words = line.split()
            if words[:1] in (["URIs:"], ["deb"]):
                found = [word for word in words if word.startswith(("http://", "https://"))]
                if found:
                    return found[0]
    raise ToolError("debootstrap needs a Debian mirror, and apt's sources on this machine name none")

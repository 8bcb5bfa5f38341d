"""The build: the context as the CDK asset has it, and buildah in Docker's place."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.oci.base import BASE, BUILDER
from benchmarks.serving.oci.tools import Buildah

SOURCE = Path(__file__).parents[3] / "src" / "mlplatform_cdk"
CONTAINER = "mlplatform_cdk/serving/container"
_SHIPPED = ("__init__.py", "runtimekit", "serving/container")
_CERTIFICATES = Path("/etc/ssl/certs")
IMAGE = "localhost/serving"


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An image that was built.

    :param container: buildah's name of a container of it.
    :param root: where its file system is mounted.
    :param image_bytes: its size on top of nothing.
    """

    container: str
    root: Path
    image_bytes: int

    def size(self, path: str) -> int:
        """Bytes of the files below ``path`` in the image."""
        files = (self.root / path.lstrip("/")).rglob("*")
        return sum(one.lstat().st_size for one in files if not one.is_dir() or one.is_symlink())


def context(folder: Path) -> Path:
    """The build context of the serving image in ``folder``."""
    for name in _SHIPPED:
        source, target = SOURCE / name, folder / "mlplatform_cdk" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy(source, target)
    return folder


def build(
    buildah: Buildah,
    folder: Path,
    *,
    dockerfile: str = "Dockerfile",
    base: str = BASE,
    requirements: str | None = None,
) -> Built:
    """Build the serving image and mount it.

    :param folder: an empty folder for the context.
    :param dockerfile: the file's name in the container's package.
    :param base: what the image stands on.
    :param requirements: which packages it gets, another file beside it; default: those that the Dockerfile names.
    """
    place = context(folder)
    arguments = {"BASE_IMAGE": base, "BUILDER_IMAGE": BUILDER} | (
        {"REQUIREMENTS": requirements} if requirements else {}
    )
    words = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    # The machine's certificates: a network may have one of its own between here and the package index.
    mounts = [f"--volume={_CERTIFICATES}:{_CERTIFICATES}:O"] if _CERTIFICATES.is_dir() else []
    file = place / CONTAINER / dockerfile
    options = (*buildah.platform, *words, *mounts)
    buildah("build", "--layers", "--quiet", *options, "--file", file, "--tag", IMAGE, place)
    manifest = json.loads(buildah("inspect", "--type", "image", "--format", "{{.Manifest}}", IMAGE))
    container = buildah("from", *buildah.platform, IMAGE)
    root = Path(buildah("mount", container))
    return Built(container=container, root=root, image_bytes=sum(int(one["size"]) for one in manifest["layers"]))


def discard(buildah: Buildah, built: Built) -> None:
    """Unmount and remove the container of ``built``; the image stays."""
    buildah("umount", built.container)
    buildah("rm", built.container)

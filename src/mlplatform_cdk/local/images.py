"""Container images without Docker: what a Dockerfile copies and sets becomes a folder that a process can run in.

``RUN`` is not executed: the interpreter of the embedded AWS stands for the base image and for what ``RUN`` installs.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from mlplatform_cdk.local import settings as local_settings
from mlplatform_cdk.local.dockerfile import DockerfileError, interpret
from mlplatform_cdk.local.requirements import differences
from mlplatform_cdk.local.settings import Settings

__all__ = ["DockerfileError", "ImageNotHere", "ImageTree", "publish", "resolve"]

PYTHON = ("python", "python3")


class ImageNotHere(LookupError):
    """This image cannot run in the embedded AWS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTree:
    """An image as a folder.

    :param root: what is ``/`` inside the image.
    :param entrypoint: the program, as in the Dockerfile.
    :param command: its arguments when the caller gives none.
    :param environment: ``ENV``, with paths into the image pointing below ``root``.
    :param workdir: the folder below ``root`` to start in.
    :param notes: what of the Dockerfile a rehearsal does not honour, a sentence each.
    """

    root: Path
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: dict[str, str]
    workdir: Path
    notes: tuple[str, ...] = ()

    def command_line(self, arguments: tuple[str, ...] = (), *, entrypoint: tuple[str, ...] = ()) -> list[str]:
        """What to run: the image's own interpreter is the one that runs the embedded AWS.

        :param arguments: in place of ``CMD``; default: ``CMD``.
        :param entrypoint: in place of ``ENTRYPOINT``; default: ``ENTRYPOINT``.
        """
        line = [*(entrypoint or self.entrypoint), *(arguments or (() if entrypoint else self.command))]
        if not line:
            raise ImageNotHere(f"the image in {self.root} has neither ENTRYPOINT nor CMD, so nothing says what to run")
        line = [located(word, self.root) for word in line]
        return [sys.executable, *line[1:]] if line[0] in PYTHON else line


def publish(
    directory: Path,
    image_uri: str,
    *,
    settings: Settings,
    dockerfile: str = "Dockerfile",
    target: str | None = None,
    build_arguments: dict[str, str] | None = None,
) -> ImageTree:
    """Make ``image_uri`` runnable in the embedded AWS of ``settings``.

    :param directory: the build context.
    :param dockerfile: its path in the context; default: Dockerfile.
    :param target: the stage to build; default: the last one.
    :param build_arguments: values for ``ARG``.
    """
    folder = _folder(image_uri, settings)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    image = interpret(directory / dockerfile, directory, folder / "stages", build_arguments or {}, target)
    notes = (*image.notes, *differences((directory / dockerfile).parent / "requirements.txt"))
    tree = ImageTree(
        root=image.root,
        entrypoint=tuple(image.entrypoint),
        command=tuple(image.command),
        environment={name: _located_list(value, image.root) for name, value in image.environment.items()},
        workdir=image.root / image.workdir.lstrip("/"),
        notes=notes,
    )
    tree.workdir.mkdir(parents=True, exist_ok=True)
    (folder / "image.json").write_text(json.dumps(asdict(tree) | {"uri": image_uri}, default=str))
    return tree


def resolve(image_uri: str, settings: Settings | None = None) -> ImageTree:
    """The folder of an image that was published here; ``ImageNotHere`` for any other.

    :param settings: the embedded AWS that holds it; default: that of this process.
    """
    record = _folder(image_uri, settings or local_settings.current()) / "image.json"
    if not record.exists():
        raise ImageNotHere(
            f"image {image_uri} is no asset of the deployed assembly, and a rehearsal has no Docker to run another; "
            "give the construct an image that is built from a folder"
        )
    values = json.loads(record.read_text())
    return ImageTree(
        root=Path(values["root"]),
        entrypoint=tuple(values["entrypoint"]),
        command=tuple(values["command"]),
        environment=values["environment"],
        workdir=Path(values["workdir"]),
        notes=tuple(values["notes"]),
    )


def located(path: str, root: Path) -> str:
    """``path`` below ``root`` where the image has it, else as it is."""
    inside = root / path.lstrip("/")
    return str(inside) if path.startswith("/") and inside.exists() else path


def _located_list(value: str, root: Path) -> str:
    return ":".join(located(path, root) for path in value.split(":"))


def _folder(image_uri: str, settings: Settings) -> Path:
    return settings.state_dir / "images" / hashlib.sha256(image_uri.encode()).hexdigest()[:32]

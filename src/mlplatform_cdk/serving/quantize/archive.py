"""A model as a folder to work in, whether it came as a folder or as ``model.tar.gz``; and back again."""

import gzip
import shutil
import tarfile
from pathlib import Path

from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME, Manifest, read_folder, unpack_archive
from mlplatform_cdk.serving.quantize.errors import QuantizeError


def open_model(model: Path, folder: Path) -> Manifest:
    """Copy the model into ``folder``, checked against its manifest.

    :param model: a model's folder, or its archive.
    :param folder: does not exist yet.
    :raises KnownError: when it is no model.
    """
    if model.is_dir():
        read_folder(model)
        shutil.copytree(model, folder)
        return read_folder(folder)
    if not model.is_file():
        raise QuantizeError(f"the model must be a folder with {MANIFEST_NAME} or a .tar.gz, got {model}")
    folder.mkdir(parents=True)
    return unpack_archive(model, folder)


def save_model(folder: Path, manifest: Manifest, target: Path) -> None:
    """Write the model in ``folder`` with ``manifest`` to ``target``: an archive where its name says so, else a folder.

    Equal models become equal archives: no times, no owners, files in the order of their names.
    """
    (folder / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
    read_folder(folder)
    if not target.name.endswith((".tar.gz", ".tgz")):
        if target.exists():
            raise QuantizeError(f"the output must not exist yet, got {target}")
        shutil.copytree(folder, target)
        return
    with (
        target.open("wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0, compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            archive.add(path, arcname=str(path.relative_to(folder)), filter=_anonymous)


def beside(model: Path, word: str) -> Path:
    """Where the output goes when nobody says: beside the model, its name with ``word``."""
    for suffix in (".tar.gz", ".tgz"):
        if model.name.endswith(suffix):
            return model.with_name(f"{model.name.removesuffix(suffix)}.{word}{suffix}")
    return model.with_name(f"{model.name}.{word}")


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member

"""A model as a folder to work in, whether it came as a folder or as ``model.tar.gz``; and back again."""

import shutil
from pathlib import Path

from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME, Manifest, read_folder, unpack_archive
from mlplatform_cdk.runtimekit.manifest.packing import pack_folder
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
    if not model.is_file() or model.suffix == ".onnx":  # which alone names no labels and no right answers
        raise QuantizeError(f"the model must be a folder with {MANIFEST_NAME} or a .tar.gz, got {model}")
    folder.mkdir(parents=True)
    return unpack_archive(model, folder)


def save_model(folder: Path, manifest: Manifest, target: Path) -> None:
    """Write the model in ``folder`` with ``manifest`` to ``target``: an archive where its name says so, else a folder.

    :param folder: the unpacked model.
    :param manifest: replaces the one in the folder.
    :param target: see ``pack_folder``; a folder must not exist yet.
    """
    (folder / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
    read_folder(folder)
    if not target.name.endswith((".tar.gz", ".tgz")):
        if target.exists():
            raise QuantizeError(f"the output must not exist yet, got {target}")
        shutil.copytree(folder, target)
        return
    pack_folder(folder, target)


def beside(model: Path, word: str) -> Path:
    """Where the output goes when nobody says: beside the model, its name with ``word``."""
    for suffix in (".tar.gz", ".tgz"):
        if model.name.endswith(suffix):
            return model.with_name(f"{model.name.removesuffix(suffix)}.{word}{suffix}")
    return model.with_name(f"{model.name}.{word}")

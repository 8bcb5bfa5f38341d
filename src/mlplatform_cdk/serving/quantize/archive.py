"""A model as a folder to work in, whether it came as a folder or as ``model.tar.gz``; and back again."""

import shutil
from pathlib import Path

from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME, Manifest, read_folder, unpack_archive
from mlplatform_cdk.runtimekit.manifest.packing import pack_folder
from mlplatform_cdk.serving.quantize.errors import QuantizeError

_ARCHIVES = (".tar.gz", ".tgz")
_NOT_WRITTEN = (".zip", ".tar", ".gz", ".bz2", ".xz", ".zst", ".7z", ".onnx")


def open_model(model: Path, folder: Path) -> Manifest:
    """Copy the model into ``folder``, checked against its manifest.

    :param model: a model's folder, or its archive.
    :param folder: does not exist yet.
    :raises KnownError: when it is no model.
    """
    if model.is_dir():
        read_folder(model)
        # Without the modes: in a copy of what nobody may write to, new files must find room.
        shutil.copytree(model, folder, copy_function=shutil.copyfile)
        for path in (folder, *(one for one in folder.rglob("*") if one.is_dir())):
            path.chmod(0o700)
        return read_folder(folder)
    if not model.is_file() or model.suffix == ".onnx":  # which alone names no labels and no right answers
        raise QuantizeError(f"the model must be a folder with {MANIFEST_NAME} or a .tar.gz, got {model}")
    folder.mkdir(parents=True)
    return unpack_archive(model, folder)


def check_output(target: Path, *kept: Path) -> None:
    """Refuse what ``save_model`` would not write, before the work that ends with it.

    :param target: a folder that does not exist yet, or an archive (``.tar.gz``, ``.tgz``) in a folder that does.
    :param kept: files and folders that must stay as they are, such as the model itself.
    :raises QuantizeError: when it is neither.
    """
    if any(target.resolve().is_relative_to(one.resolve()) for one in kept):
        raise QuantizeError(f"the output must lie outside the model and the data, got {target}")
    archive = target.name.endswith(_ARCHIVES)
    if not archive and target.name.endswith(_NOT_WRITTEN):
        raise QuantizeError(f"the output must be a .tar.gz or a folder, got {target}; end its name with .tar.gz")
    if archive and (target.is_dir() or not target.parent.is_dir()):
        raise QuantizeError(f"the output must be a file in a folder that exists, got {target}")
    if not archive and target.exists():
        raise QuantizeError(f"the output must not exist yet, got {target}")


def save_model(folder: Path, manifest: Manifest, target: Path) -> None:
    """Write the model in ``folder`` with ``manifest`` to ``target``: an archive where its name says so, else a folder.

    :param folder: the unpacked model.
    :param manifest: replaces the one in the folder.
    :param target: see ``check_output``.
    """
    check_output(target)
    (folder / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
    read_folder(folder)
    if target.name.endswith(_ARCHIVES):
        part = target.with_name(f".{target.name}.part")  # so that an archive of before stays whole until this one is
        try:
            pack_folder(folder, part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    else:
        shutil.copytree(folder, target)


def beside(model: Path, word: str) -> Path:
    """Where the output goes when nobody says: beside the model, its name with ``word``."""
    named = model.resolve() if model.name in ("", "..") else model
    for suffix in _ARCHIVES:
        if named.name.endswith(suffix):
            return named.with_name(f"{named.name.removesuffix(suffix)}.{word}{suffix}")
    return named.with_name(f"{named.name or 'model'}.{word}")

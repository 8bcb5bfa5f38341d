"""A model's folder as an archive; equal folders become equal bytes."""

import gzip
import tarfile
from pathlib import Path


def pack_folder(folder: Path, target: Path) -> None:
    """Write the files in ``folder`` to the archive ``target`` (``.tar.gz``): no times, no owners, in order of name.

    :param folder: an unpacked model.
    :param target: is overwritten.
    """
    with (
        target.open("wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0, compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            archive.add(path, arcname=str(path.relative_to(folder)), filter=_anonymous)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member

"""Several arrays in one body: numpy's npz, a zip file with an npy file per input."""

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from mlplatform_cdk.serving.container.codecs import npy
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.limits import Limits
from mlplatform_cdk.serving.container.tensors import TensorReader

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 1


class NpzArrays:
    """Reads npz bodies, each entry bounded before it is unpacked.

    :param readers: the model's inputs, in the manifest's order.
    :param limits: what the body may cost.
    """

    def __init__(self, readers: Sequence[TensorReader], limits: Limits) -> None:
        self._arrays = {f"{one.name}.npy": (one.name, npy.NpyArray(one)) for one in readers}
        self._most = limits.unpacked_bytes

    def decode(self, body: bytes) -> dict[str, NDArray[Any]]:
        """The arrays that ``body`` holds, one per input."""
        try:
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                entries = archive.infolist()
                self._check(entries)
                contents = {one.filename: self._content(archive, one) for one in entries}
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
            raise RequestError(f"the body must be an npz file, got something else ({str(error)[:80]})") from None
        return {name: array.decode(contents[file]) for file, (name, array) in self._arrays.items()}

    def _check(self, entries: list[zipfile.ZipInfo]) -> None:
        names = [one.filename for one in entries]
        if len(names) != len(self._arrays) or set(names) != set(self._arrays):
            came = ", ".join(name[:40] for name in names[:5]) or "nothing"
            raise RequestError(f"the npz file must hold {', '.join(self._arrays)}, got {came}")
        if any(one.compress_type not in _METHODS or one.flag_bits & _ENCRYPTED for one in entries):
            raise RequestError("the npz file must be stored or deflated, and not encrypted, got another")
        size = sum(one.file_size for one in entries)
        if size > self._most:
            raise RequestError(f"the npz file must unpack to at most {self._most} bytes, got {size}")

    def _content(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
        with archive.open(entry) as file:
            return file.read(entry.file_size)


def write(outputs: Mapping[str, NDArray[Any]]) -> bytes:
    """``outputs`` as an npz file, not compressed.

    :param outputs: tensors of numbers or booleans by name.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in outputs.items():
            archive.writestr(f"{name}.npy", npy.write(array))
    return content.getvalue()

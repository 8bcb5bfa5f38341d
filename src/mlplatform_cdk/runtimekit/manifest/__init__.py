"""The model manifest: the contract between training, evaluation, registration, serving and release.

A model is ``model.tar.gz``: ONNX files by precision, and ``manifest.json``, which says all that others must know.
"""

from mlplatform_cdk.runtimekit.manifest.archive import (
    MANIFEST_NAME,
    ArchiveBounds,
    open_archive,
    read_archive,
    read_folder,
    sha256_of,
    unpack_all,
    unpack_archive,
    unpack_files,
)
from mlplatform_cdk.runtimekit.manifest.golden import GoldenRequest
from mlplatform_cdk.runtimekit.manifest.model import Manifest, ModelFile, json_schema
from mlplatform_cdk.runtimekit.manifest.records import ManifestError
from mlplatform_cdk.runtimekit.manifest.serving import EngineName, ImagePreprocessing, Precision, Serving
from mlplatform_cdk.runtimekit.manifest.tensors import DTYPES, Tensor

__all__ = [
    "DTYPES",
    "MANIFEST_NAME",
    "ArchiveBounds",
    "EngineName",
    "GoldenRequest",
    "ImagePreprocessing",
    "Manifest",
    "ManifestError",
    "ModelFile",
    "Precision",
    "Serving",
    "Tensor",
    "json_schema",
    "open_archive",
    "read_archive",
    "read_folder",
    "sha256_of",
    "unpack_all",
    "unpack_archive",
    "unpack_files",
]

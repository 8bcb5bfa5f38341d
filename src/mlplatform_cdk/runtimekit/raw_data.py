"""A data set as it lies in the lake: its CSV files, and the version that tells one state of them from another."""

import hashlib
from collections.abc import Iterable

from mlplatform_cdk.runtimekit import s3
from mlplatform_cdk.runtimekit.dataset import DatasetError
from mlplatform_cdk.runtimekit.rows import few

_VERSION_DIGITS = 16


def raw_files(uri: str) -> list[s3.StoredObject]:
    """The CSV files under the prefix ``uri``, in the order of their keys; other objects are left alone.

    :param uri: where the data set lies, ``s3://<lake>/raw/<data set>/``.
    """
    found = list(s3.listing(uri))
    files = [one for one in found if one.location.key.lower().endswith(".csv")]
    if not files:
        came = few(one.location.key for one in found) or "nothing"
        raise DatasetError(f"the data set must hold at least one .csv file under {uri}, got {came}")
    return files


def version_of(files: Iterable[s3.StoredObject], uri: str) -> str:
    """The version of ``files`` under ``uri``: a hash over their names below it and their ETags, not over the bucket.

    :param files: as ``raw_files`` gave them.
    :param uri: where the data set lies.
    """
    prefix = s3.Location.parse(uri).key
    digest = hashlib.sha256()
    for one in files:
        digest.update(f"{one.location.key.removeprefix(prefix)}\0{one.etag}\n".encode())
    return digest.hexdigest()[:_VERSION_DIGITS]

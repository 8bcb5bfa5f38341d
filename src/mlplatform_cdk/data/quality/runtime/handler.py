"""The first look at a run's data: reads it from the lake as a stream, leaves its profile, or refuses it."""

import io
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from mlplatform_cdk.data.quality.runtime.checks import Rules, problems
from mlplatform_cdk.data.quality.runtime.profile import Profile, Profiler
from mlplatform_cdk.runtimekit import aws, logs, s3, settings
from mlplatform_cdk.runtimekit.dataset import DatasetError
from mlplatform_cdk.runtimekit.raw_data import raw_files, version_of
from mlplatform_cdk.runtimekit.rows import Row, read_rows

_LOG = logs.logger("quality")
_CHUNK = 1 << 20
_SHOWN = 3
_MOST_BYTES = 6_000_000_000


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Check the data set at ``dataset_uri`` and leave its profile under ``run_uri``.

    :raises DatasetError: the data must not be learned from; its text says why.
    """
    logs.bind(run_id=event["run_id"])
    uri, rules = event["dataset_uri"], Rules.from_json(settings.required("RULES"))
    files = _of_bearable_size(raw_files(uri))
    profiler = Profiler()
    for row in _rows(uri, files, rules.label_column):
        profiler.add(row)
    profile = profiler.profile(version_of(files, uri))
    found = problems(profile, _reference(settings.required("REFERENCE_URI")), rules)
    if found:
        more = f"; and {len(found) - _SHOWN} more problems" if len(found) > _SHOWN else ""
        raise DatasetError("; ".join(found[:_SHOWN]) + more)
    profile_uri = f"{event['run_uri']}profile.json"
    s3.write_json(profile_uri, profile.to_json())
    answer = {"dataset_version": profile.version, "rows": profile.rows, "profile_uri": profile_uri}
    _LOG.info("accepted", extra=answer | {"files": len(files)})
    return answer


def _of_bearable_size(files: list[s3.StoredObject]) -> list[s3.StoredObject]:
    size = sum(one.size for one in files)
    if size > _MOST_BYTES:
        raise DatasetError(
            f"the data set must be at most {_MOST_BYTES / 1e9:g} GB, which is what the quality gate can read in its "
            f"15 minutes, got {size / 1e9:.1f} GB; train on a folder or a sample of it"
        )
    return files


def _rows(uri: str, files: list[s3.StoredObject], label: str) -> Iterator[Row]:
    prefix, features = s3.Location.parse(uri).key, None
    for one in files:
        buffered = io.BufferedReader(_Stream(_open(one)), _CHUNK)
        with io.TextIOWrapper(buffered, encoding="utf-8-sig", newline="") as lines:
            for row in read_rows(lines, one.location.key.removeprefix(prefix), label, features):
                features = row.features
                yield row


def _open(one: s3.StoredObject) -> Any:
    """The content that the listing saw: the version of the data names this one and no later one."""
    client = aws.client("s3")
    try:
        return client.get_object(Bucket=one.location.bucket, Key=one.location.key, IfMatch=f'"{one.etag}"')["Body"]
    except client.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.PRECONDITION_FAILED:
            raise
        raise DatasetError(
            f"{one.location.uri} must stay as it is while it is checked, got a new version; "
            "its arrival starts a run of its own"
        ) from None


def _reference(uri: str) -> Profile | None:
    """The profile of the last registered run; None before the first."""
    where = s3.Location.parse(uri)
    if not any(one.location == where for one in s3.listing(uri)):
        return None
    return Profile.from_json(s3.read_json(uri))


class _Stream(io.RawIOBase):
    """The body of an S3 object as the kind of file that text can be read from."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._body.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._body.close()
        super().close()

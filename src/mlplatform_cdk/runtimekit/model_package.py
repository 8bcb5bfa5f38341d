"""What a model package of SageMaker's registry remembers about a model, as its customer metadata.

Registration writes these facts; approval, evaluation and release read them.
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields

from mlplatform_cdk.runtimekit.errors import KnownError

_METRIC = "metric_"
_MOST_ENTRIES, _LONGEST_KEY, _LONGEST_VALUE = 50, 128, 256
# botocore's CustomerMetadataKey and -Value allow [\p{L}\p{Z}\p{N}_.:\/=+\-@]; \w is letters, digits and underscore.
_ALLOWED = re.compile(r"[\w .:/=+\-@]+")


class PackageError(KnownError):
    """Facts that a model package lacks, or cannot hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFacts:
    """Where a registered model comes from and how good it is.

    :param run_id: the run that made it.
    :param dataset_version: the version of the data that it learned from.
    :param dataset_uri: the prefix of that data in the lake.
    :param code_version: the version of the training code.
    :param manifest_uri: its manifest, as evaluation wrote it.
    :param manifest_sha256: the digest of that manifest.
    :param evaluation_uri: evaluation's verdict.
    :param model_data_sha256: the digest of the model archive.
    :param execution_arn: the state machine's execution; default: none, for a model that no pipeline made.
    :param metrics: its metrics on the holdout, by name; default: none.
    """

    run_id: str
    dataset_version: str
    dataset_uri: str
    code_version: str
    manifest_uri: str
    manifest_sha256: str
    evaluation_uri: str
    model_data_sha256: str
    execution_arn: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)

    def to_metadata(self) -> dict[str, str]:
        """The facts as ``CustomerMetadataProperties``; metrics become ``metric_<name>``."""
        entries = {name: getattr(self, name) for name in _TEXTS if getattr(self, name) is not None}
        entries |= {f"{_METRIC}{name}": repr(float(value)) for name, value in self.metrics.items()}
        if len(entries) > _MOST_ENTRIES:
            raise PackageError(
                f"a model package holds at most {_MOST_ENTRIES} facts, got {len(entries)}; record fewer metrics"
            )
        for key, value in entries.items():
            _check(key, _LONGEST_KEY, f"the name of the fact {key!r}")
            _check(value, _LONGEST_VALUE, f"the fact {key}")
        return entries

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> "PackageFacts":
        """The facts in ``metadata`` (a package's ``CustomerMetadataProperties``); keys of others are left alone."""
        missing = sorted(name for name in _REQUIRED if not metadata.get(name))
        if missing:
            known = ", ".join(sorted(metadata)) or "nothing"
            raise PackageError(f"a model package must carry {', '.join(missing)} in its customer metadata, got {known}")
        metrics = {key.removeprefix(_METRIC): _float(key, value) for key, value in metadata.items() if _is_metric(key)}
        return cls(**{name: metadata[name] for name in _TEXTS if name in metadata}, metrics=metrics)


_TEXTS = tuple(one.name for one in fields(PackageFacts) if one.name != "metrics")
_REQUIRED = tuple(one.name for one in fields(PackageFacts) if one.default is MISSING and one.default_factory is MISSING)


def _is_metric(key: str) -> bool:
    return key.startswith(_METRIC)


def _check(text: str, longest: int, what: str) -> None:
    if len(text) > longest or not _ALLOWED.fullmatch(text):
        raise PackageError(f"{what} must be 1 to {longest} letters, digits, spaces or any of _.:/=+-@, got {text!r}")


def _float(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise PackageError(f"the fact {key} of a model package must be a number, got {text!r}") from None

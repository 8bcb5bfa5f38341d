"""What a run is asked to do, checked and completed from the pipeline's defaults. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from mlplatform_cdk.runtimekit.errors import KnownError

# SageMaker's job names have 63 characters; ours are "<model>-<run id>-preprocess" at the longest, the model cut to 14.
_RUN_ID = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,36}")
_LONGEST_RUN_ID = 37
_LONGEST_VALUE = 2500  # of a hyperparameter, in the service model
_ALGORITHM = "algorithm"


class RequestError(KnownError):
    """An execution that was started with something that the pipeline cannot do."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the run trains on, and with which hyperparameters."""

    dataset_uri: str
    hyperparameters: dict[str, str]


def read_request(run_id: str, asked: object, *, dataset_uri: str, hyperparameters: Mapping[str, str]) -> Request:
    """The request that ``asked`` (the execution's input) makes.

    :param run_id: the execution's name.
    :param asked: an object with ``dataset_uri`` and ``hyperparameters``, both optional.
    :param dataset_uri: the pipeline's data set; another one must lie under it.
    :param hyperparameters: the pipeline's own; those of another algorithm are not carried over to the one asked for.
    """
    if len(run_id) > _LONGEST_RUN_ID or not _RUN_ID.fullmatch(run_id):
        raise RequestError(
            f"an execution's name must be 1 to {_LONGEST_RUN_ID} letters, digits and inner hyphens, "
            f"since its jobs carry it, got {run_id!r}"
        )
    if not isinstance(asked, dict):
        raise RequestError(f"the execution's input must be an object, got {json.dumps(asked)}")
    unknown = sorted(set(asked) - {"dataset_uri", "hyperparameters"})
    if unknown:
        raise RequestError(
            f"the execution's input must have only dataset_uri and hyperparameters, got {', '.join(unknown)}"
        )
    return Request(
        _dataset_uri(asked.get("dataset_uri", dataset_uri), dataset_uri),
        _merged(hyperparameters, asked.get("hyperparameters", {})),
    )


def _dataset_uri(asked: object, own: str) -> str:
    if not isinstance(asked, str) or not asked.startswith(own) or not asked.endswith("/"):
        raise RequestError(f"dataset_uri must be {own} or a folder under it that ends with '/', got {asked!r}")
    return asked


def _merged(own: Mapping[str, str], asked: object) -> dict[str, str]:
    if not isinstance(asked, dict):
        raise RequestError(f"hyperparameters must be an object, got {json.dumps(asked)}")
    texts = {name: _text(name, value) for name, value in asked.items()}
    other_algorithm = texts.get(_ALGORITHM, own.get(_ALGORITHM)) != own.get(_ALGORITHM)
    return texts if other_algorithm else {**own, **texts}


def _text(name: str, value: object) -> str:
    """SageMaker takes texts only; numbers and truth values are what people write."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float) or len(str(value)) > _LONGEST_VALUE:
        raise RequestError(
            f"the hyperparameter {name} must be a text or a number of at most {_LONGEST_VALUE} characters, "
            f"got {json.dumps(value)[:80]}"
        )
    return str(value)

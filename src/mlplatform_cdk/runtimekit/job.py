"""SageMaker's job contract: where inputs, outputs and hyperparameters lie, and how a job says why it failed.

The base directory is ``/opt/ml``, or what ``SAGEMAKER_BASE_DIR`` (the variable of AWS's own training toolkit) names.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

from mlplatform_cdk.runtimekit import logs, settings
from mlplatform_cdk.runtimekit.errors import KnownError

_LONGEST_REASON = 1024  # of ExitMessage and FailureReason in the service model
_log = logs.logger("job")


class JobError(KnownError):
    """Inputs or settings with which a job cannot do its work."""


def base_dir() -> Path:
    """The folder that SageMaker mounts everything under."""
    return Path(settings.optional("SAGEMAKER_BASE_DIR", "/opt/ml"))


def processing_input(name: str) -> Path:
    """The folder of the processing input ``name``."""
    return base_dir() / "processing" / "input" / name


def optional_archive(name: str) -> Path | None:
    """The model archive (``.tar.gz``) in the processing input ``name``; None where that is empty or absent."""
    archives = sorted(processing_input(name).glob("*.tar.gz"))
    if len(archives) > 1:
        names = ", ".join(one.name for one in archives)
        raise JobError(f"the input {name} must hold one model archive (.tar.gz), got {names}")
    return archives[0] if archives else None


def required_archive(name: str) -> Path:
    """The model archive (``.tar.gz``) in the processing input ``name``."""
    archive = optional_archive(name)
    if archive is None:
        raise JobError(f"the input {name} must hold one model archive (.tar.gz), got none")
    return archive


def processing_output(name: str) -> Path:
    """The folder of the processing output ``name``, made if need be."""
    return _made(base_dir() / "processing" / "output" / name)


def channel(name: str) -> Path:
    """The folder of the training channel ``name``."""
    return base_dir() / "input" / "data" / name


def model_dir() -> Path:
    """The folder of the model: a training job fills it, SageMaker packs it, a serving container finds it unpacked."""
    return base_dir() / "model"


def hyperparameters() -> dict[str, str]:
    """The training job's hyperparameters; SageMaker hands each over as a text."""
    path = base_dir() / "input" / "config" / "hyperparameters.json"
    if not path.is_file():
        return {}
    try:
        values = json.loads(path.read_bytes())
    except ValueError as error:
        raise JobError(f"hyperparameters.json must be JSON, got something else ({error})") from None
    if not isinstance(values, dict):
        raise JobError(f"hyperparameters.json must hold an object, got {type(values).__name__}")
    return {str(name): str(value) for name, value in values.items()}


def run_step(main: Callable[[], None], *, name: str, reason_file: str) -> int:
    """Run ``main`` and return the exit code; the reason of a failure goes to the log and to ``reason_file``.

    :param main: the step; a known error in it is told as its one sentence, any other also by its type and traceback.
    :param name: the step's name, for the log.
    :param reason_file: under ``output``: ``message`` for a processing job, ``failure`` for a training job.
    """
    try:
        _log.info("started", extra={"step": name})
        main()
    except KnownError as error:
        return _failed(str(error), name, reason_file)
    except Exception as error:  # noqa: BLE001 - the last place that can still tell the reason
        _log.exception("unexpected", extra={"step": name})
        unexpected = f"{name} failed with an unexpected {type(error).__name__}: {error}"
        return _failed(unexpected, name, reason_file)
    _log.info("finished", extra={"step": name})
    return 0


def tell(reason: str, *, reason_file: str) -> None:
    """Write why the job failed where SageMaker reads it.

    :param reason: one sentence.
    :param reason_file: as in ``run_step``.
    """
    try:
        (_made(base_dir() / "output") / reason_file).write_text(reason, encoding="utf-8")
    except OSError as error:
        os.write(2, f"the reason could not be written for SageMaker: {error}\n".encode())


def _failed(reason: str, name: str, reason_file: str) -> int:
    sentence = " ".join(reason.split())[:_LONGEST_REASON]
    _log.error(sentence, extra={"step": name})
    tell(sentence, reason_file=reason_file)
    return 1


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder

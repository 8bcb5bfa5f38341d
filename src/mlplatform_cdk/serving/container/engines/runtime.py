"""ONNX Runtime as we want it: no spinning, no memory held for later, no telemetry, its errors in one sentence."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlplatform_cdk.serving.container.engines.errors import ModelError

Providers = Sequence[tuple[str, Mapping[str, str]]]


def available_providers() -> tuple[str, ...]:
    """The execution providers that the installed ONNX Runtime was built with."""
    import onnxruntime

    return tuple(onnxruntime.get_available_providers())


def session_options(threads: int) -> Any:
    """Options of a session on ``threads`` threads, whose idle threads take no CPU time from the lanes."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3  # errors: what is only a warning would reach standard error line by line
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


def open_session(path: Path, threads: int, providers: Providers) -> Any:
    """A session over the ONNX file at ``path``.

    :param path: the file.
    :param threads: how many threads compute one call.
    :param providers: execution providers with their options, the first that can compute a node does.
    """
    import onnxruntime

    names, settings = [name for name, _ in providers], [dict(one) for _, one in providers]
    try:
        session = onnxruntime.InferenceSession(
            str(path), session_options(threads), providers=names, provider_options=settings
        )
    except Exception as error:
        raise ModelError(f"{path.name} must be an ONNX model that this runtime loads, got {error}") from error
    session.disable_fallback()  # a provider that fails later must be an error, not another provider
    return session

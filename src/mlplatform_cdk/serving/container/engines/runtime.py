"""ONNX Runtime as we want it: no spinning beside others, no other provider than asked for, errors in one sentence."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlplatform_cdk.serving.container.engines.errors import ModelError

Providers = Sequence[tuple[str, Mapping[str, str]]]
_LONGEST_SPIN_US = "500"


def available_providers() -> tuple[str, ...]:
    """The execution providers that the installed ONNX Runtime was built with."""
    import onnxruntime

    return tuple(onnxruntime.get_available_providers())


def session_options(threads: int, *, arena: bool, spinning: bool) -> Any:
    """Options of a session on ``threads`` threads, whose idle threads take no CPU time from the lanes.

    :param threads: how many compute one call.
    :param arena: whether memory of past calls is kept for later ones: 1 to 3 % faster, and never given back.
    :param spinning: whether threads stay awake between a call's steps, and not after it: to sleep and wake at each
        takes a sixth of a ResNet's call in int8, and a quarter of a transformer's.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_cpu_mem_arena = arena
    options.log_severity_level = 3  # errors: what is only a warning would reach standard error line by line
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
    options.add_session_config_entry("session.intra_op.spin_duration_us", _LONGEST_SPIN_US)
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")  # see ``computing``
    return options


def open_session(path: Path, threads: int, providers: Providers, *, arena: bool = True, spinning: bool = False) -> Any:
    """A session over the ONNX file at ``path``.

    :param path: the file.
    :param threads: how many threads compute one call.
    :param providers: execution providers with their options; the first that can compute a node does.
    :param arena: see ``session_options``.
    :param spinning: see ``session_options``.
    """
    import onnxruntime

    try:
        return onnxruntime.InferenceSession(
            str(path),
            session_options(threads, arena=arena, spinning=spinning),
            providers=[name for name, _ in providers],
            provider_options=[dict(one) for _, one in providers],
            enable_fallback=0,  # a provider that fails must be an error, not another provider
        )
    except Exception as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"{path.name} must be an ONNX model that this runtime loads, got {reason}") from error


def run_options() -> Any:
    """Options of calls, as they are by default; made once: to make them anew takes a tenth of a tiny model's call."""
    import onnxruntime

    return onnxruntime.RunOptions()


def computing(session: Any) -> dict[str, set[str]]:
    """Which operators of the model each provider of ``session`` computes, as ``Conv`` or ``ai.onnx.ml.Scaler``."""
    operators: dict[str, set[str]] = defaultdict(set)
    for part in session.get_provider_graph_assignment_info():
        operators[part.ep_name] |= {".".join(filter(None, (one.domain, one.op_type))) for one in part.get_nodes()}
    return dict(operators)


def runner(session: Any) -> Any:
    """``run(names, inputs, options)`` of ``session`` without its wrapper in Python, which checks what the codec has.

    A sixth of a tiny model's call; the wrapper is the fallback where the attribute is gone.
    """
    return getattr(session, "_sess", session).run

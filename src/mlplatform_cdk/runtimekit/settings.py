"""Settings come from environment variables; a missing or malformed one is told in one sentence."""

import math
import os

from mlplatform_cdk.runtimekit.errors import KnownError


class SettingError(KnownError):
    """An environment variable that is missing, or does not mean what it must."""


def required(name: str) -> str:
    """The value of the environment variable ``name``, which must be set and not empty."""
    value = os.environ.get(name, "")
    if not value:
        raise SettingError(f"the environment variable {name} must be set, got nothing")
    return value


def optional(name: str, default: str = "") -> str:
    """The value of the environment variable ``name``, or ``default`` where it is missing or empty."""
    return os.environ.get(name, "") or default


def number(name: str, default: float, *, least: float = -math.inf, most: float = math.inf) -> float:
    """The environment variable ``name`` as a finite number within ``least`` and ``most``.

    :param name: the environment variable.
    :param default: the value where it is missing or empty.
    :param least: the smallest value accepted; default: any.
    :param most: the greatest value accepted; default: any.
    """
    text = optional(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or not least <= value <= most:
        raise SettingError(f"the environment variable {name} must be a number{_range(least, most)}, got {text!r}")
    return value


def _range(least: float, most: float) -> str:
    if math.isinf(least) and math.isinf(most):
        return ""
    if math.isinf(most):
        return f" of at least {least:g}"
    return f" of at most {most:g}" if math.isinf(least) else f" from {least:g} to {most:g}"

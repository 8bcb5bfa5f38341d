"""moto's own switches: no Docker anywhere, and state machines that are executed rather than recorded."""

from __future__ import annotations

from moto.core.config import default_user_config


def install() -> None:
    """Turn moto's switches."""
    default_user_config["lambda"]["use_docker"] = False
    default_user_config["batch"]["use_docker"] = False
    default_user_config["stepfunctions"]["execute_state_machine"] = True

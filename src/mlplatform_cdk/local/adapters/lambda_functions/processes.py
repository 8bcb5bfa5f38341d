"""The process of a function: forked from one that has AWS's runtime loaded, or begun anew where that is not safe.

Importing boto3 and making its first client is most of a cold start. What a function can tell between the two: forks
share their seed of hashes, and find imported what boto3 imports. macOS's own libraries do not bear forks.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Protocol, cast

from mlplatform_cdk.local.adapters.lambda_functions import bootstrap, forks

LOG = logging.getLogger(__name__)
FORKS = sys.platform == "linux"
_PYTHON = (sys.executable, "-I", "-S")


class Process(Protocol):
    """What a worker needs of ``subprocess.Popen``."""

    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]

    def kill(self) -> None:
        """End it at once, if it has not ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code; below 0, the signal that ended it."""


def start(environment: dict[str, str], folder: Path) -> Process:
    """A process that is about to load its handler.

    :param environment: its whole environment.
    :param folder: the unpacked asset, where it works.
    """
    packages = _runtime_packages()
    if FORKS:
        try:
            return forks.Forked(forks.the_zygote(_PYTHON, packages), environment, folder)
        except OSError as failed:
            LOG.warning("a function begins without a fork: %s", failed)
    pipe = subprocess.PIPE
    command = [*_PYTHON, bootstrap.__file__, packages]
    begun = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, cwd=folder)
    return cast("Process", begun)


def _runtime_packages() -> str:
    spec = find_spec("boto3")
    if spec is None or spec.origin is None:
        raise RuntimeError("boto3 is not installed beside the embedded AWS; install mlplatform-cdk[local]")
    return str(Path(spec.origin).parent.parent)

"""State machines that run for real.

In moto's interpreter ``.sync`` waits for no SageMaker job, tasks run as nobody, waits take real time, an execution
without a name breaks the next one, one that is stopped goes on until its task has ended, and each reads its definition
anew.
"""

from __future__ import annotations

from mlplatform_cdk.local.adapters.step_functions import (
    breakpoints,
    clients,
    error_names,
    executions,
    failures,
    history,
    nested,
    sagemaker,
    stops,
    syntax,
    tokens,
    values,
    waits,
)

PARTS = (
    error_names,
    failures,
    executions,
    stops,
    syntax,
    history,
    clients,
    waits,
    tokens,
    values,
    sagemaker,
    nested,
    breakpoints,
)


def install() -> None:
    """Install every part."""
    for part in PARTS:
        part.install()

"""Automation documents of Systems Manager that run for real: each step under the document's role.

moto keeps documents and starts none.
"""

from __future__ import annotations

from moto.ssm.responses import SimpleSystemManagerResponse

from mlplatform_cdk.local.adapters.automation import api


def install() -> None:
    """Give moto's service the operations of executions."""
    for operation in api.OPERATIONS:
        setattr(SimpleSystemManagerResponse, operation.__name__, operation)

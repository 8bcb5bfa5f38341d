"""Documents of Systems Manager, in one way: steps by functions, the role that takes them, and who may start them."""

from mlplatform_cdk.resilience.automation.construct import Automation
from mlplatform_cdk.resilience.automation.documents import (
    ASSUMED,
    Parameter,
    approve,
    ask_api,
    branch,
    document,
    expect,
    run_script,
    wait_for,
)

__all__ = [
    "ASSUMED",
    "Automation",
    "Parameter",
    "approve",
    "ask_api",
    "branch",
    "document",
    "expect",
    "run_script",
    "wait_for",
]

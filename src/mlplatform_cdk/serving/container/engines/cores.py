"""How many cores this process may use."""

import os
from pathlib import Path

# Of control groups in version 2 ("max 100000", or microseconds of a period), and 1.
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_OLD_QUOTA, _OLD_PERIOD = (Path(f"/sys/fs/cgroup/cpu/cpu.cfs_{one}_us") for one in ("quota", "period"))
_LAMBDA_MEMORY = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"  # in MB; Lambda sets it
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: so much memory comes with one core.
_LAMBDA_MB_PER_CORE = 1769


def usable_cores() -> int:
    """The cores that this process may keep busy: fewer than there are by affinity, a quota, or Lambda's memory size."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    there = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(there, int(_quota()), int(_paid())))


def _quota() -> float:
    """Cores' worth of time that the control group may take; more than any machine has where it is not bounded."""
    told = _QUOTA.read_text(encoding="ascii").split() if _QUOTA.is_file() else [_read(_OLD_QUOTA), _read(_OLD_PERIOD)]
    quota, period = told
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else os.cpu_count() or 1


def _paid() -> float:
    memory = os.environ.get(_LAMBDA_MEMORY, "")
    return int(memory) / _LAMBDA_MB_PER_CORE if memory.isdigit() else os.cpu_count() or 1


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii").strip() if path.is_file() else ""

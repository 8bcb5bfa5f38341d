"""How often Python asks the Node kernel of jsii, and how long it waits for the answers."""

import time
from collections import Counter
from typing import Any

from jsii._kernel.providers import process


class Calls:
    """Every message to the kernel from now on, by what it asks for."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.seconds: dict[str, float] = {}
        kernel_process: Any = process._NodeProcess  # noqa: SLF001 -- jsii offers no hook
        send = kernel_process.send

        def counted(kernel: Any, request: Any, response_type: Any) -> Any:
            name = _name(request)
            start = time.perf_counter()
            try:
                return send(kernel, request, response_type)
            finally:
                self.count[name] += 1
                self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

        kernel_process.send = counted

    def slowest(self, most: int) -> dict[str, tuple[int, float]]:
        """Count and seconds of the names that took longest in all."""
        longest = sorted(self.seconds.items(), key=lambda entry: entry[1], reverse=True)
        return {name: (self.count[name], round(took, 3)) for name, took in longest[:most]}


def _name(request: Any) -> str:
    kind = type(request).__name__.removeprefix("_").removesuffix("Request")
    what = next((getattr(request, field) for field in ("fqn", "method", "property") if hasattr(request, field)), "")
    return f"{kind} {what}".strip()

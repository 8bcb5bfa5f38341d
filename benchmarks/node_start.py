"""What Node takes to start and to load aws-cdk-lib, until it has answered the first question about it."""

import time
from collections.abc import Callable
from typing import Any

from jsii._kernel.providers import process


def main() -> None:
    """Time every message that the import of aws_cdk sends, and the start before it."""
    waited = 0.0
    kernel_process: Any = process._NodeProcess  # noqa: SLF001 -- jsii offers no hook

    def timed(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            nonlocal waited
            begun = time.perf_counter()
            try:
                return original(*arguments)
            finally:
                waited += time.perf_counter() - begun

        return call

    kernel_process.start = timed(kernel_process.start)
    kernel_process.send = timed(kernel_process.send)
    import aws_cdk

    aws_cdk.App()
    print(f'{{"node_s": {waited}}}')  # noqa: T201 -- the answer


if __name__ == "__main__":
    main()

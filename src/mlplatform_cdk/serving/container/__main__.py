"""``python -m mlplatform_cdk.serving.container [serve]``: serve the model that SageMaker has put into ``model``."""

import os
import sys

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.serving.container.process import serve
from mlplatform_cdk.serving.container.settings import Settings

_log = logs.logger("serving")


def main(arguments: list[str]) -> int:
    """Serve; ``serve``, which SageMaker passes, may be said or not."""
    if arguments not in ([], ["serve"]):
        sys.stderr.write(f"the container takes no argument but serve, got {' '.join(arguments)}\n")
        return 2
    try:
        return serve(Settings.read())
    except (KnownError, OSError) as error:
        _log.error(str(error))
        return 1


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # Python would wait for threads: a hook or a load that does not end would keep the process

"""``python -m mlplatform_cdk.training.container STEP``: one step (see ``STEPS``) under SageMaker's contract."""

import os
import signal
import sys
from importlib import import_module
from typing import NoReturn

from mlplatform_cdk.runtimekit import job

# A processing job tells its reason in `message` (ExitMessage), a training job in `failure` (FailureReason).
STEPS = {"preprocess": "message", "train": "failure", "evaluate": "message", "quantize": "message"}
# A step of another room: named and not imported.
_ELSEWHERE = {"quantize": "mlplatform_cdk.serving.quantize.job"}


def main(arguments: list[str]) -> int:
    """Run the step that ``arguments`` name; the heavy libraries of the others are never imported."""
    if len(arguments) != 1 or arguments[0] not in STEPS:
        sys.stderr.write(
            f"the job needs one argument, any of {', '.join(STEPS)}, got {' '.join(arguments) or 'none'}\n"
        )
        return 2
    step = arguments[0]

    def stop(*_: object) -> NoReturn:
        # In the middle of anything, a log call too, which would swallow an exception and holds standard output.
        job.tell("the job was stopped before it had finished", reason_file=STEPS[step])
        os._exit(1)

    signal.signal(signal.SIGTERM, stop)  # process 1 of a container ignores the signal otherwise

    def run() -> None:
        import_module(_ELSEWHERE.get(step, f"mlplatform_cdk.training.{step}.runtime.main")).main()

    return job.run_step(run, name=step, reason_file=STEPS[step])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

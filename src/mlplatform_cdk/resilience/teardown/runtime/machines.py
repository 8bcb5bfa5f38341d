"""Ends the executions of state machines, with the jobs that those of a pipeline have started."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.resilience.teardown.runtime import executions, jobs
from mlplatform_cdk.resilience.teardown.runtime.door import answer_to
from mlplatform_cdk.resilience.teardown.runtime.rounds import DONE, Round, SecondsLeft
from mlplatform_cdk.resilience.teardown.runtime.settings import targets


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """End the executions, and their jobs."""
    return answer_to(event, context, _work)


def _work(_seconds_left: SecondsLeft) -> Round:
    wanted = targets()
    stopped = [arn for machine in wanted["machines"] for arn in executions.stop(machine)]
    running = [name for one in wanted["jobs"] for name in jobs.stop(prefix=one["prefix"], machine_arn=one["machine"])]
    left = [arn.rpartition(":")[2] for arn in stopped] + running
    return Round(waits_for=f"the end of {', '.join(left)}") if left else DONE

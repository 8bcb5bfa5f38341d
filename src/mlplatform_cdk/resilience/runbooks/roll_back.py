"""Starts the release's own machine, which alone changes an endpoint (docs/adr/0017), and sees it to its end."""

from mlplatform_cdk.core import Access, allowed, arn_of
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.resilience.automation import Automation, ask_api, expect, wait_for
from mlplatform_cdk.resilience.automation.documents import LONGEST_WAIT_S, Step
from mlplatform_cdk.resilience.runbooks.parts import REASON, WHO, Place
from mlplatform_cdk.runtimekit.runbook_names import Runbook

_ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


def roll_back(place: Place, *, release: BlueGreenRelease, endpoint_name: str) -> Automation:
    """The runbook: what ``mlplatform release rollback`` starts.

    :param release: whose machine.
    :param endpoint_name: which endpoint it releases to.
    """
    request = f'{{"action": "rollback", "by": "hand", "who": "{WHO}", "reason": "{{{{ Reason }}}}"}}'
    return place.define(
        Runbook.ROLL_BACK,
        run_machine(release, request),
        description=(
            f"Brings the version before the live one of {endpoint_name} back: at once where it is kept beside it, else "
            "by a release of it. A release that runs is ended. Asked for twice, it goes back once."
        ),
        parameters={"Reason": REASON},
        access=[_machine_access(place, release)],
        outputs=["Start.executionArn"],
    )


def run_machine(release: BlueGreenRelease, request: str) -> list[Step]:
    """Steps that start an execution, wait for its end, and fail unless it has succeeded.

    :param request: the execution's input, JSON in which values of the automation may stand.
    """
    this = {"executionArn": "{{ Start.executionArn }}"}
    return [
        ask_api(
            "Start",
            "stepfunctions",
            "StartExecution",
            {"stateMachineArn": release.state_machine.state_machine_arn, "input": request},
            outputs={"executionArn": ("$.executionArn", "String")},
        ),
        wait_for(
            "Ended",
            "stepfunctions",
            "DescribeExecution",
            this,
            path="$.status",
            values=_ENDED,
            within_s=LONGEST_WAIT_S,
        ),
        expect("Succeeded", "stepfunctions", "DescribeExecution", this, path="$.status", values=_ENDED[:1], isEnd=True),
    ]


def _machine_access(place: Place, release: BlueGreenRelease) -> Access:
    """What these steps take."""
    machine = release.state_machine
    executions = arn_of(place.scope, "states", f"execution:{machine.state_machine_name}:*")
    return Access(
        [
            allowed(["states:StartExecution"], machine.state_machine_arn),
            allowed(["states:DescribeExecution"], executions),
        ],
        patterns={executions: "the executions of one machine, whose names come with them"},
    )

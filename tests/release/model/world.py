"""An endpoint, its registry and its lock in memory, on which the machine's real definition and decisions run.

What is replaced is only what reads and writes AWS; every decision is the deployed one. An update takes effect when the
test says so, and how.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlplatform_cdk.release.blue_green.changes import Release
from mlplatform_cdk.release.blue_green.definition import definition
from mlplatform_cdk.release.blue_green.runtime import guard_handler, lock, lock_rows
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseFailed, ReleaseRefused
from mlplatform_cdk.release.blue_green.runtime.handler import handle
from mlplatform_cdk.release.blue_green.tasks import Tasks
from mlplatform_cdk.runtimekit.release_strategy import Strategy
from tests.release.model.endpoint import Refused
from tests.release.model.interpreter import RUNNING, Execution, TaskError
from tests.release.model.surroundings import Exceptions, Surroundings, arn_of, number_of
from tests.release.worlds import SPECIFICATION

ENDPOINT = SPECIFICATION.endpoint_name
ALARMS = {"a": ["alarm-a"], "b": ["alarm-b"], "business": ["orders"]}
# A call of these decides something, and leaves exactly one record.
DECIDING = ("advance", "look", "settle", "conclude", "leave", "mark")


@dataclass(kw_only=True)
class World(Surroundings):
    """All of it.

    :param strategy: of the releases.
    """

    strategy: Strategy
    executions: dict[str, Execution] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    throttled: bool = False
    deaf: bool = False
    gave_up: bool = False

    def __post_init__(self) -> None:
        tasks = Tasks("aws", "function", ENDPOINT)
        self.definition = definition(
            Release(
                tasks=tasks,
                specification=SPECIFICATION,
                strategy=self.strategy,
                alarms=ALARMS,
                machine={"cores": 1, "gpus": 1},
                gate_arn="gate",
                report_arn=None,
                topic_arn=None,
            )
        )

    # What a test does.

    def start(self, name: str = "", **given: Any) -> str:
        """Begin an execution."""
        arn = f"arn:execution:{name or len(self.executions)}"
        if arn in self.executions:
            raise Exceptions.ExecutionAlreadyExists
        self.executions[arn] = Execution(self.definition, arn, given, self.call)
        return arn

    def approve(self, number: int, **given: Any) -> str:
        """Approve a version, which starts its release."""
        self.approvals[number] = "Approved"
        return self.start(model_package_arn=arn_of(number), **given)

    def reject(self, number: int) -> None:
        """A person takes a version back; of the live one EventBridge tells."""
        self.approvals[number] = "Rejected"
        if self.stages.get(number) == "InService":
            self.start(action="rollback", model_package_arn=arn_of(number), by="rejection", reason="no")

    def running(self) -> list[Execution]:
        """The executions that can go on."""
        return [one for one in self.executions.values() if one.status == RUNNING and not one.waits_for]

    def waiting(self, what: str) -> list[Execution]:
        """The executions that wait for ``what``."""
        return [one for one in self.executions.values() if one.status == RUNNING and one.waits_for == what]

    def step(self, execution: Execution) -> None:
        """One state."""
        execution.step()
        if execution.status in ("FAILED", "ABORTED"):
            self.ended.append(execution.arn)

    def stop(self, arn: str, error: str, cause: str) -> None:
        """End an execution from outside."""
        if self.executions[arn].status == RUNNING:
            self.executions[arn].stop(error, cause)
            self.ended.append(arn)

    def redrive(self, arn: str) -> None:
        """A person lets an execution go on that ended badly: in the state where it ended."""
        self.executions[arn].redrive()

    def hear_of_end(self) -> None:
        """EventBridge tells of an execution that ended badly."""
        arn = self.ended.pop(0)
        ended = {"executionArn": arn, "input": json.dumps(self.executions[arn].given)}
        self._tell({"step": "recover", "machine_arn": "machine", "topic_arn": "", "ended": ended, "execution_arn": arn})

    def ring(self, alarm: str) -> None:
        """An alarm rings, and EventBridge tells of it."""
        self.ringing.add(alarm)
        event = {
            "step": "guard",
            "alarm": alarm,
            "reason": "too many errors",
            "alarms": ALARMS,
            "at": lock_rows.now().isoformat(),
        }
        self._tell({**event, "execution_arn": "event"})

    # What the machine's tasks do.

    def call(self, resource: str, parameters: Mapping[str, Any]) -> Any:
        """A task's call."""
        if self.throttled:
            self.throttled = False
            raise TaskError("SageMaker.ThrottlingException", "Rate exceeded")
        if resource == "states:startExecution":
            return self.start(**parameters["Input"])
        assert resource == "lambda:invoke", f"nothing else changes anything, got {resource}"
        if self.deaf and parameters["Payload"]["step"] == "call":
            self.deaf = False
            self._handle(parameters["Payload"])  # it took effect, nobody heard of it, and it is made again
        return {"Payload": self._handle(parameters["Payload"])}

    def _tell(self, event: dict[str, Any]) -> None:
        guard_handler.handle({"endpoint_name": ENDPOINT, **json.loads(json.dumps(event))}, None)

    def _handle(self, event: dict[str, Any]) -> dict[str, Any]:
        before = self.writes
        event = {"endpoint_name": ENDPOINT, **json.loads(json.dumps(event))}
        try:
            answer = handle(event, None)
        except TaskError:
            raise
        except Exception as error:
            if event["step"] == "look" and not isinstance(error, lock.LockLost):
                assert self.writes == before + 1, "a look without a record"
            if not isinstance(error, (ReleaseFailed, ReleaseRefused, lock.LockLost, Refused)):
                raise
            name = "ClientError" if isinstance(error, Refused) else type(error).__name__
            raise TaskError(name, json.dumps({"errorMessage": str(error)})) from error
        self._keep_from_the_rejected(event, answer)
        if event["step"] == "mark":
            assert self.approvals[number_of(event["package_arn"])] == "Approved", "in production, and not approved"
        if event["step"] in DECIDING:
            assert self.writes == before + 1, f"{event['step']} must leave one record, and left {self.writes - before}"
        return json.loads(json.dumps(answer))  # type: ignore[no-any-return] # a mapping, as it came

    def _keep_from_the_rejected(self, event: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """A way back never gives traffic to a rejected version while another healthy one has it, nor does a test."""
        plan = answer if event["step"] == "plan" else event.get("plan", {})
        gives = answer.get("way") in {"plan": ("resume",), "go_back": ("weights", "configuration")}.get(
            event["step"], ()
        )
        blue = plan["blue"]["package_arn"] if gives else ""
        if not blue or plan["way"] == "rollback" or self.approvals[number_of(blue)] != "Rejected":
            return
        has = [one.package for one in self.fleet.values() if one.weight >= 1.0]
        if plan["package_arn"] in has and self.approvals[number_of(plan["package_arn"])] == "Approved":
            assert answer.get("reject"), f"nothing speaks against {plan['package_arn']}, and {blue} was rejected"

    def put_metric_data(self, **_metric: Any) -> None:
        """CloudWatch hears that nothing is tried any more."""
        self.gave_up = True

    # What Step Functions says.

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:  # noqa: N803 - boto3's name
        one = self.executions[executionArn]
        return {"status": one.status, "error": one.error, "cause": one.cause}

    def stop_execution(self, *, executionArn: str, error: str, cause: str) -> None:  # noqa: N803 - boto3's name
        self.stop(executionArn, error, cause)

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: ARG002, N803 - boto3's names
        self.start(name, **json.loads(input))

"""An endpoint, its registry and its lock in memory, on which the machine's real definition and decisions run.

What is replaced is only what reads and writes AWS; every decision is the deployed one. An update takes effect when the
test says so, and how.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mlplatform_cdk.release.blue_green.changes import Release
from mlplatform_cdk.release.blue_green.definition import definition
from mlplatform_cdk.release.blue_green.runtime import (
    calling,
    evidence,
    guard,
    guard_handler,
    live,
    lock,
    lock_rows,
    preflight,
    production,
    proofs,
    retiring,
    scaling,
    stopping,
    trials,
)
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseFailed, ReleaseRefused
from mlplatform_cdk.release.blue_green.runtime.handler import handle
from mlplatform_cdk.release.blue_green.runtime.rolling_back import Listed
from mlplatform_cdk.release.blue_green.runtime.state import Approval, Version
from mlplatform_cdk.release.blue_green.tasks import Tasks
from mlplatform_cdk.runtimekit import release_records
from mlplatform_cdk.runtimekit.release_strategy import Strategy
from tests.release.model.endpoint import Endpoint, Refused
from tests.release.model.interpreter import RUNNING, Execution, TaskError
from tests.release.worlds import GROUP, SPECIFICATION, version

ENDPOINT = SPECIFICATION.endpoint_name
ALARMS = {"a": ["alarm-a"], "b": ["alarm-b"], "business": ["orders"]}
# A call of these decides something, and leaves exactly one record.
AGAIN = ("Plan", "TakeUp", "Preflight", "MarkProduction")  # said again by one execution, they are the same fact
DECIDING = ("advance", "look", "settle", "conclude", "leave", "mark")


class _Exceptions:
    ClientError = Refused
    ExecutionDoesNotExist = KeyError
    ExecutionAlreadyExists = FileExistsError


@dataclass(kw_only=True)
class World(Endpoint):
    """All of it.

    :param strategy: of the releases.
    """

    strategy: Strategy
    executions: dict[str, Execution] = field(default_factory=dict)
    stages: dict[int, str] = field(default_factory=dict)
    ringing: set[str] = field(default_factory=set)
    verdict: bool | None = True
    wrong: set[int] = field(default_factory=set)
    records: dict[tuple[str, str, str], str] = field(default_factory=dict)
    rows: dict[str, lock_rows.Row] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    throttled: bool = False
    deaf: bool = False
    writes: int = 0

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
            raise _Exceptions.ExecutionAlreadyExists
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
        self._tell({"step": "recover", "machine_arn": "machine", "ended": ended, "execution_arn": arn})

    def ring(self, alarm: str) -> None:
        """An alarm rings, and EventBridge tells of it."""
        self.ringing.add(alarm)
        event = {"step": "guard", "alarm": alarm, "reason": "too many errors", "alarms": ALARMS}
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
            if event["step"] == "look":
                assert self.writes == before + 1, "a look without a record"
            if not isinstance(error, (ReleaseFailed, ReleaseRefused, lock.LockLost, Refused)):
                raise
            name = "ClientError" if isinstance(error, Refused) else type(error).__name__
            raise TaskError(name, json.dumps({"errorMessage": str(error)})) from error
        if event["step"] == "mark":
            assert self.approvals[number_of(event["package_arn"])] == "Approved", "in production, and not approved"
        if event["step"] in DECIDING:
            assert self.writes == before + 1, f"{event['step']} must leave one record, and left {self.writes - before}"
        return json.loads(json.dumps(answer))  # type: ignore[no-any-return] # a mapping, as it came

    # What the steps read and write.

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Put this world in place of AWS."""
        patch.setenv("MODEL_PACKAGE_GROUP_NAME", "churn")
        patch.setattr(live, "read_endpoint", lambda _name: self.read())
        patch.setattr(live, "read_version", self.version)
        patch.setattr(live, "model_exists", lambda name: name in self.models)
        patch.setattr(preflight, "preflight", lambda _event: {"record": "fine", "notes": []})
        patch.setattr(trials, "try_green", self._try)
        patch.setattr(trials, "read_manifest", lambda *_: None)
        patch.setattr(trials, "budget_ms", lambda _manifest: 100.0)
        patch.setattr(proofs, "prove", lambda *_, **__: [])
        patch.setattr(evidence, "read_windows", lambda _e, names, *_, **__: dict.fromkeys(names))
        patch.setattr(evidence, "judge", self._judge)
        patch.setattr(evidence, "alarms_in_alarm", lambda names: [one for one in names if one in self.ringing])
        patch.setattr(live, "read_approval", lambda arn: Approval(status=self.approvals[number_of(arn)]))
        patch.setattr(scaling, "read_targets", lambda _name: self.targets())
        patch.setattr(scaling, "let_go", lambda _name, variant: self.targets_go([{"variant": variant}]))
        for name, do in {"suspend": self.hold, "restore": self.let_scale, "remove": self.targets_go}.items():
            patch.setattr(scaling, name, lambda _name, targets, do=do: do(targets))
        patch.setattr(retiring, "listed", lambda *_: [])
        patch.setattr(production, "versions", lambda _group: [self._listed(one) for one in self.approvals])
        patch.setattr(production, "_set", self._mark)
        patch.setattr(production, "reject", lambda arn, _reason: self.approvals.update({number_of(arn): "Rejected"}))
        patch.setattr(release_records, "table_name", lambda: "records")
        patch.setattr(release_records, "record", self._record)
        patch.setattr(lock_rows, "read", lambda _endpoint: [self.rows[at] for at in sorted(self.rows)])
        patch.setattr(lock_rows, "write", self._write)
        patch.setattr(lock_rows, "remove", self._remove)
        patch.setattr(release_records, "is_recorded", self._is_recorded)
        for module in (calling, lock, stopping, guard):
            patch.setattr(module, "aws", self)

    def client(self, _service: str) -> "World":
        """Step Functions, and what the guard asks of SageMaker."""
        return self

    exceptions = _Exceptions

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:  # noqa: N803 - boto3's name
        one = self.executions[executionArn]
        return {"status": one.status, "error": one.error, "cause": one.cause}

    def stop_execution(self, *, executionArn: str, error: str, cause: str) -> None:  # noqa: N803 - boto3's name
        self.stop(executionArn, error, cause)

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: ARG002, N803 - boto3's names
        self.start(name, **json.loads(input))

    def version(self, arn: str) -> Version:
        """A version in the registry."""
        number = number_of(arn)
        known = version(number, approval=self.approvals[number])
        return replace(known, stage_status=self.stages.get(number, ""))

    def _listed(self, number: int) -> Listed:
        stage = self.stages.get(number, "")
        return Listed(arn=arn_of(number), number=number, approval=self.approvals[number], stage_status=stage)

    def _mark(self, arn: str, status: str, _description: str) -> None:
        self.stages[number_of(arn)] = status

    def _try(self, _endpoint: str, variant: str, **_manifest: str) -> dict[str, Any]:
        fleet = self.fleet[variant]
        if number_of(fleet.package) in self.wrong:
            raise ReleaseFailed("golden-1: label must be 1, got 0")
        fleet.tested = True
        names = ("requests", "latency_p50_ms", "latency_max_ms", "within_budget")
        return dict.fromkeys(names, 1) | {"budget_ms": 100.0, "record": "passed"}

    def _judge(self, *_: Any, alarms: Any = (), **__: Any) -> evidence.Verdict:
        ok = False if alarms else self.verdict
        return evidence.Verdict(ok=ok, reasons=("it must hold",), metrics={})

    def _record(self, _table: str, *, release: str, step: str, sequence: str | int, decision: str, **_: Any) -> None:
        key = (release, step, str(sequence))
        assert self.records.get(key, decision) == decision, f"two decisions with one record: {key}"
        assert key not in self.records or step in AGAIN, f"one decision twice: {key}"
        self.records[key] = decision
        self.writes += 1

    def _is_recorded(self, _table: str, *, release: str, step: str, sequence: str | int, **_: Any) -> bool:
        return (release, step, str(sequence)) in self.records

    def _write(
        self, _endpoint: str, row: lock_rows.Row, *, instead_of: lock_rows.Row | None = None, anyway: bool = False
    ) -> bool:
        now = self.rows.get(row.at)
        if not anyway and (now.owner if now else None) != (instead_of.owner if instead_of else None):
            return False
        self.rows[row.at] = copy.deepcopy(row)
        return True

    def _remove(self, _endpoint: str, at: str, *, owner: str) -> bool:
        if at not in self.rows or self.rows[at].owner != owner:
            return False
        del self.rows[at]
        return True


def arn_of(number: int) -> str:
    """The version's ARN."""
    return f"{GROUP}/{number}"


def number_of(arn: str) -> int:
    """The number of a version."""
    return int(arn.rsplit("/", 1)[1])

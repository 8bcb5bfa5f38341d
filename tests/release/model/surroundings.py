"""What the steps read and write, in memory: the registry, the lock, the records, and what is measured of green."""

import copy
from dataclasses import dataclass, field, replace
from typing import Any, Self

import pytest

from mlplatform_cdk.release.blue_green.runtime import (
    calling,
    evidence,
    guard,
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
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseFailed
from mlplatform_cdk.release.blue_green.runtime.rolling_back import Listed
from mlplatform_cdk.release.blue_green.runtime.state import Approval, Version
from mlplatform_cdk.runtimekit import release_records, scalable_targets
from tests.release.model.endpoint import Endpoint, Refused
from tests.release.worlds import GROUP, version

AGAIN = ("Plan", "TakeUp", "Preflight", "Ended")  # said again by one execution, they are the same fact


class Exceptions:
    ClientError = Refused
    ExecutionDoesNotExist = KeyError
    ExecutionAlreadyExists = FileExistsError


@dataclass(kw_only=True)
class Surroundings(Endpoint):
    """All that a release asks or changes, but for executions."""

    stages: dict[int, str] = field(default_factory=dict)
    ringing: set[str] = field(default_factory=set)
    verdict: bool | None = True
    wrong: set[int] = field(default_factory=set)
    records: dict[tuple[str, str, str], str] = field(default_factory=dict)
    rows: dict[str, lock_rows.Row] = field(default_factory=dict)
    writes: int = 0

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
        for module in (calling, lock, stopping, guard, scalable_targets):
            patch.setattr(module, "aws", self)

    def client(self, _service: str, **_patience: int) -> Self:
        """Step Functions, and what the guard asks of SageMaker."""
        return self

    exceptions = Exceptions

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

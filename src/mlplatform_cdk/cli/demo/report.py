"""What the demo found out, as values: printed for people, dumped for machines."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any


class StepFailed(Exception):
    """The demo stopped here: a step's name and the reason, one sentence."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"{step}: {reason}")
        self.step = step
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class StackReport:
    """One deployed stack: its name, its number of resources and the seconds that it took."""

    name: str
    resources: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StateReport:
    """One state that an execution went through, and the seconds between entering and leaving it."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionReport:
    """One execution of a state machine; ``error`` and ``cause`` only where it failed."""

    name: str
    status: str
    seconds: float
    states: tuple[StateReport, ...]
    error: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """The registered version: its metrics, where it came from, and where it stands now."""

    arn: str
    approval: str
    approval_reason: str | None
    life_cycle: str | None
    metrics: dict[str, float]
    lineage: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionReport:
    """One row of the holdout, answered by the endpoint, beside its true label."""

    row: int
    predicted: str
    probability: float
    truth: str
    milliseconds: float
    variant: str


@dataclass(slots=True, kw_only=True)
class DemoReport:
    """Everything that the demo shows; a field that stays None was not reached."""

    environment: str
    machine: dict[str, Any]
    seconds: float = 0.0
    peak_memory_mib: int = 0
    succeeded: bool = False
    failed_step: str | None = None
    reason: str | None = None
    phases: dict[str, float] = field(default_factory=dict)
    stacks: list[StackReport] = field(default_factory=list)
    not_honoured: list[str] = field(default_factory=list)
    run: ExecutionReport | None = None
    model: ModelReport | None = None
    release: ExecutionReport | None = None
    golden: dict[str, Any] | None = None
    predictions: list[PredictionReport] = field(default_factory=list)
    holdout_accuracy: float | None = None
    refused: ExecutionReport | None = None

    def to_json(self) -> str:
        """The report as JSON, times in seconds rounded to milliseconds."""
        return json.dumps(_rounded(asdict(self)), indent=2)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value

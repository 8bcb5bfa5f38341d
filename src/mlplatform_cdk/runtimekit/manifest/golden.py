"""Golden requests: questions with known answers, asked before a model may take traffic and ever after."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from mlplatform_cdk.runtimekit.manifest.records import ManifestError, Nested

_MOST_PROBLEMS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenRequest:
    """A request with the answer that the model must give.

    :param name: names it in a report.
    :param inputs: tensors by name, as nested lists.
    :param outputs: the expected tensors by name, as nested lists.
    :param absolute_tolerance: how far a number may be off; default: 0.00001.
    :param relative_tolerance: the same as a share of the expected number; default: 0.001.
    """

    name: str
    inputs: Mapping[str, Nested]
    outputs: Mapping[str, Nested]
    absolute_tolerance: float = 1e-5
    relative_tolerance: float = 1e-3

    def __post_init__(self) -> None:
        """Refuse a request that asks or expects nothing, or tolerates anything."""
        if not self.inputs or not self.outputs:
            raise ManifestError(f"the golden request {self.name} must have inputs and outputs, got none of one")
        for tolerance in (self.absolute_tolerance, self.relative_tolerance):
            if not math.isfinite(tolerance) or tolerance < 0:
                raise ManifestError(
                    f"a tolerance of the golden request {self.name} must be a number of at least 0, got {tolerance}"
                )

    def body(self) -> dict[str, object]:
        """The request as the serving container takes it (``application/json``)."""
        return {"inputs": dict(self.inputs)}

    def check(self, answer: object) -> list[str]:
        """What is wrong with ``answer`` (the container's JSON), in sentences; an empty list means nothing.

        :param answer: ``{"outputs": {tensor: nested list}}``, as ``json.loads`` gives it.
        """
        outputs = answer.get("outputs") if isinstance(answer, Mapping) else None
        if not isinstance(outputs, Mapping):
            return [f"{self.name}: the answer must have outputs by name, got {str(answer)[:80]!r}"]
        problems: list[str] = []
        for tensor, expected in self.outputs.items():
            if tensor in outputs:
                self._compare(expected, outputs[tensor], tensor, problems)
            else:
                came = ", ".join(sorted(map(str, outputs))) or "nothing"
                problems.append(f"{self.name}: the answer must have the output {tensor}, got {came}")
        more = len(problems) - _MOST_PROBLEMS
        return [*problems[:_MOST_PROBLEMS], f"{self.name}: and {more} more differences"] if more > 0 else problems

    def _compare(self, expected: object, came: object, where: str, problems: list[str]) -> None:
        if isinstance(expected, list):
            if not isinstance(came, list) or len(came) != len(expected):
                length = f"a list of {len(came)}" if isinstance(came, list) else repr(came)
                problems.append(f"{self.name}: {where} must be a list of {len(expected)}, got {length}")
                return
            for index, (one, other) in enumerate(zip(expected, came, strict=True)):
                self._compare(one, other, f"{where}[{index}]", problems)
        elif not self._equal(expected, came):
            problems.append(f"{self.name}: {where} must be {expected!r}, got {came!r}")

    def _equal(self, expected: object, came: object) -> bool:
        if not (_is_number(expected) and _is_number(came)):
            return type(expected) is type(came) and expected == came
        if isinstance(expected, int) and isinstance(came, int):
            return expected == came
        return math.isclose(
            float(expected),  # type: ignore[arg-type]
            float(came),  # type: ignore[arg-type]
            rel_tol=self.relative_tolerance,
            abs_tol=self.absolute_tolerance,
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

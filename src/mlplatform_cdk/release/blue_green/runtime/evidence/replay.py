"""Captured requests of production, asked of both variants: what callers would have seen of green."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.evidence.agreement import Agreement, Answers, agreements
from mlplatform_cdk.release.blue_green.runtime.evidence.answers import UnreadableAnswer, values_of
from mlplatform_cdk.release.blue_green.runtime.evidence.asking import Answer, Question, ask_all
from mlplatform_cdk.release.blue_green.runtime.evidence.warm_up import Load, summary

_AT_ONCE = 50
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a replay found.

    :param requests: how many were sent to both.
    :param lost: requests that blue answered and green did not, or not readably: callers that would have failed.
    :param reasons: the first few of green's, each once.
    :param outputs: the agreement by output, over the requests that both answered.
    :param blue: blue's figures.
    :param green: green's figures.
    """

    requests: int
    lost: int
    reasons: tuple[str, ...]
    outputs: dict[str, Agreement]
    blue: Load
    green: Load

    @property
    def problems(self) -> tuple[str, ...]:
        """Why green must not take traffic, in sentences; a shift is no reason: a better model answers otherwise."""
        if not self.lost:
            return ()
        because = "; ".join(self.reasons)
        return (f"green must answer what blue answers, and did not in {self.lost} of {self.requests}: {because}",)

    @property
    def shifts(self) -> tuple[str, ...]:
        """The outputs whose answers moved more than is customary and than chance explains, in sentences."""
        return tuple(
            f"{name}: green agrees with blue on {one.same:.0%} of the requests, and the answers have moved by "
            f"{one.shift:.2f} (population stability index)"
            for name, one in self.outputs.items()
            if one.has_moved
        )

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "requests": self.requests,
            "lost": self.lost,
            "reasons": [*self.reasons],
            "shifts": [*self.shifts],
            "outputs": {name: one.to_mapping() for name, one in self.outputs.items()},
            "blue": self.blue.to_mapping(),
            "green": self.green.to_mapping(),
        }


def replay(endpoint: str, blue: str, green: str, questions: Sequence[Question]) -> Replay:
    """Ask both variants the same questions, so many at a time of one and then the same of the other.

    :param endpoint: the endpoint's name.
    :param blue: the variant whose answers are right by definition.
    :param green: the variant to compare.
    :param questions: see ``captured.captured_questions``.
    """
    answers: dict[str, list[Answer]] = {blue: [], green: []}
    for first in range(0, len(questions), _AT_ONCE):
        for variant in (blue, green):
            answers[variant] += ask_all(endpoint, variant, questions[first : first + _AT_ONCE])
    return compare(answers[blue], answers[green])


def compare(blue: Sequence[Answer], green: Sequence[Answer]) -> Replay:
    """Blue's answers beside green's, in the order of the same questions."""
    pairs: list[tuple[Answers, Answers]] = []
    lost: list[str] = []
    for one, two in zip(blue, green, strict=True):
        if one.body is None:
            continue  # what blue fails tells nothing of green
        if two.body is None:
            lost.append(two.problem)
            continue
        try:
            pairs.append((values_of(one.body, one.content_type), values_of(two.body, two.content_type)))
        except UnreadableAnswer as error:
            lost.append(str(error))
    return Replay(
        requests=len(blue),
        lost=len(lost),
        reasons=tuple([*dict.fromkeys(lost)][:_SHOWN]),
        outputs=agreements(pairs),
        blue=summary(blue),
        green=summary(green),
    )

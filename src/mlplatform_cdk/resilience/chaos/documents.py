"""Automation documents of Systems Manager: one breaks something and waits, the other mends it.

They are two, since an execution that is cancelled, as AWS FIS does where an alarm stops an experiment, has two minutes
left for what is to be done then, and SageMaker takes longer until it lets an endpoint be changed again: it is enough
to start the one that mends. Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html

What there was is read in a step before the one that breaks, so that whatever becomes of that one, also where it is
cancelled in its middle, the other document knows what to bring back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlplatform_cdk.resilience.automation import ASSUMED, Parameter, ask_api, document, run_script

_SCRIPTS = Path(__file__).parent / "runtime"
_OWNER = "Drill"
_EXECUTION = "{{ automation:EXECUTION_ID }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The lock of an endpoint that releases change, as the steps take it.

    :param table_name: of the releases' records.
    :param endpoint_name: whose lock.
    :param seconds: after which it is free in any case.
    """

    table_name: str
    endpoint_name: str
    seconds: int

    def given(self, owner: str) -> Mapping[str, str]:
        """What the scripts that hold it get."""
        return {
            "TableName": self.table_name,
            "EndpointName": self.endpoint_name,
            "Seconds": str(self.seconds),
            "Owner": owner,
        }


def breaking(
    script: str,
    *,
    what: str,
    given: Mapping[str, str],
    kept: Sequence[str],
    lasts: str,
    mending: str,
    mending_role: str,
    lock: Lock | None = None,
) -> dict[str, Any]:
    """The content of the document that breaks, waits, and has it mended, however the breaking and the wait end.

    :param script: a module of ``runtime``, whose ``look`` and ``break_it`` it runs.
    :param what: it does, one sentence.
    :param given: what the functions get.
    :param kept: what ``look`` answers, all texts, for ``break_it`` and for the document that mends.
    :param lasts: how long, in ISO 8601, such as ``PT10M``.
    :param mending: the name of the document that mends.
    :param mending_role: the ARN of the role that mends.
    :param lock: which is held until it is mended; default: none.
    """
    known = {name: f"{{{{ Look.{name} }}}}" for name in kept}
    told = {ASSUMED: [mending_role], **{name: [value] for name, value in known.items()}, _OWNER: [_EXECUTION]}
    otherwise = "Abort" if lock is None else "step:LetGo"
    to_mend: dict[str, Any] = {"onFailure": "step:Mend", "onCancel": "step:Mend"}
    outputs = {name: (f"$.Payload.{name}", "String") for name in kept}
    if_not_looked: dict[str, Any] = {"onFailure": otherwise, "onCancel": otherwise, "nextStep": "Break"}
    starts = {"DocumentName": mending, "Parameters": told}
    steps = [
        *_holding(lock, otherwise),
        run_script("Look", _file(script), "look", given, outputs=outputs, **if_not_looked),
        run_script("Break", _file(script), "break_it", {**given, **known}, **to_mend, nextStep="Wait"),
        {"name": "Wait", "action": "aws:sleep", "inputs": {"Duration": lasts}, **to_mend, "nextStep": "Mend"},
        ask_api("Mend", "ssm", "StartAutomationExecution", starts, maxAttempts=3, isEnd=True),
        *_letting_go(lock, _EXECUTION),
    ]
    return document(steps, description=f"{what}, waits, and has it mended.")


def mending(
    script: str, *, what: str, given: Mapping[str, str], kept: Sequence[str], lock: Lock | None = None
) -> dict[str, Any]:
    """The content of the document that mends.

    :param script: a module of ``runtime``, whose ``mend`` it runs.
    :param what: was done, one sentence.
    :param given: what the function gets.
    :param kept: what it gets besides, from the one that broke.
    :param lock: which is free then; default: none.
    """
    payload = {**given, **{name: f"{{{{ {name} }}}}" for name in kept}}
    last: dict[str, Any] = {"isEnd": True} if lock is None else {"nextStep": "LetGo"}
    drill = f"{{{{ {_OWNER} }}}}"
    steps = [
        *_holding_on(lock, drill),
        run_script("Mend", _file(script), "mend", payload, maxAttempts=3, onFailure="Abort", **last),
        *_letting_go(lock, drill),
    ]
    parameters = {name: Parameter(description="What there was, as the step Look tells it") for name in kept}
    parameters[_OWNER] = Parameter(description="The execution that broke it, and holds the lock of the endpoint")
    return document(steps, description=f"Mends what this did: {what}.", parameters=parameters)


def _holding(lock: Lock | None, otherwise: str) -> list[Any]:
    if lock is None:
        return []
    then: dict[str, Any] = {"onFailure": "Abort", "onCancel": otherwise, "nextStep": "Look"}
    return [run_script("Hold", _file("holding"), "hold", lock.given(_EXECUTION), **then)]


def _holding_on(lock: Lock | None, owner: str) -> list[Any]:
    if lock is None:
        return []
    return [run_script("Hold", _file("holding"), "hold_on", lock.given(owner), onFailure="Abort", nextStep="Mend")]


def _letting_go(lock: Lock | None, owner: str) -> list[Any]:
    if lock is None:
        return []
    return [run_script("LetGo", _file("holding"), "let_go", lock.given(owner), maxAttempts=3, isEnd=True)]


def _file(script: str) -> Path:
    return _SCRIPTS / f"{script}.py"

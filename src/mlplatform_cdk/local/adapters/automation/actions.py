"""What the steps of a document do; each action answers what its outputs are taken from.

Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from mlplatform_cdk.local import clock, role_clients, roles
from mlplatform_cdk.local.adapters.automation import scripts
from mlplatform_cdk.local.adapters.automation.values import Wrong, found, text_of

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.automation.execution import Execution

Inputs = Mapping[str, Any]
_OWN = frozenset({"Service", "Api", "PropertySelector", "DesiredValues"})
_POLL_S = 0.1
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")
# https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-waitForAwsResourceProperty.html
_WITHIN_S = 3600


def ask_api(run: Execution, inputs: Inputs, _step: Inputs) -> Any:
    """``aws:executeAwsApi``: one call, as the document's role."""
    return _call(run, inputs)


def wait_for(run: Execution, inputs: Inputs, step: Inputs) -> Any:
    """``aws:waitForAwsResourceProperty``: the call again and again, until a property is as wanted."""
    within = float(step.get("timeoutSeconds", _WITHIN_S))
    end = run.now() + clock.real_seconds(within)
    while True:
        answer = _call(run, inputs)
        if _is_as_wanted(inputs, answer):
            return answer
        if run.now() > end:
            raise Wrong(f"{_seen(inputs, answer)}, and was not within {within:g} s")
        run.pause(_POLL_S)


def expect(run: Execution, inputs: Inputs, _step: Inputs) -> Any:
    """``aws:assertAwsResourceProperty``: the call once, and a property that must be as wanted."""
    answer = _call(run, inputs)
    if not _is_as_wanted(inputs, answer):
        raise Wrong(_seen(inputs, answer))
    return answer


def run_script(run: Execution, inputs: Inputs, _step: Inputs) -> Any:
    """``aws:executeScript``: what the function answers, as ``Payload``."""
    answer = scripts.run(inputs, role_arn=run.role, region=run.region, session=run.session)
    return {"Payload": answer}


def sleep(run: Execution, inputs: Inputs, _step: Inputs) -> Any:
    """``aws:sleep``, by the rehearsal's clock."""
    run.pause(clock.real_seconds(seconds_in(str(inputs.get("Duration", "")))))
    return {}


def approve(run: Execution, inputs: Inputs, step: Inputs) -> Any:
    """``aws:approve``: tell the topic, and wait for one of the approvers."""
    message = {"TopicArn": inputs["NotificationArn"], "Message": str(inputs.get("Message", ""))}
    _call(run, {"Service": "sns", "Api": "Publish", **message})
    answer = run.ask(inputs["Approvers"], clock.real_answer_seconds(float(step.get("timeoutSeconds", 604_800))))
    if answer is None:
        raise Wrong("nobody has answered in time")
    if answer != "Approve":
        raise Wrong("it was not approved")
    return {"ApprovalStatus": "Approved"}


def chosen(inputs: Inputs) -> str | None:
    """``aws:branch``: the step that is next; None: none of the choices, and there is no other."""
    for choice in inputs["Choices"]:
        (operator,) = {*choice} - {"NextStep", "Variable"}
        if operator != "StringEquals":
            raise Wrong(f"a choice must be by StringEquals in the embedded AWS, got {operator}")
        if text_of(choice["Variable"]) == text_of(choice[operator]):
            return str(choice["NextStep"])
    return inputs.get("Default")


ACTIONS: Mapping[str, Callable[[Execution, Inputs, Inputs], Any]] = {
    "aws:executeAwsApi": ask_api,
    "aws:waitForAwsResourceProperty": wait_for,
    "aws:assertAwsResourceProperty": expect,
    "aws:executeScript": run_script,
    "aws:sleep": sleep,
    "aws:approve": approve,
}


def seconds_in(duration: str) -> int:
    """Seconds of a length in ISO 8601, such as ``PT1H30M``.

    :raises Wrong: where it is none of hours, minutes and seconds.
    """
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise Wrong(f"the Duration must be one of hours, minutes and seconds, got {duration!r}")
    hours, minutes, seconds = (int(one or 0) for one in match.groups())
    return 3600 * hours + 60 * minutes + seconds


def _call(run: Execution, inputs: Inputs) -> Any:
    service, api = str(inputs["Service"]), str(inputs["Api"])
    try:
        client = role_clients.client_for(
            service, run.region, role_arn=run.role, session_name=run.session, principal=scripts.SERVICE
        )
        method = getattr(client, xform_name(api))
        return method(**{name: value for name, value in inputs.items() if name not in _OWN})
    except (ClientError, BotoCoreError, AttributeError, roles.RoleCannotBeAssumed) as error:
        raise Wrong(f"{service} {api}: {error}") from error


def _is_as_wanted(inputs: Inputs, answer: Any) -> bool:
    return text_of(found(inputs["PropertySelector"], answer)) in [text_of(one) for one in inputs["DesiredValues"]]


def _seen(inputs: Inputs, answer: Any) -> str:
    wanted = " or ".join(text_of(one) for one in inputs["DesiredValues"])
    path = inputs["PropertySelector"]
    return f"{path} of {inputs['Service']} {inputs['Api']} must be {wanted}, got {found(path, answer)!r}"

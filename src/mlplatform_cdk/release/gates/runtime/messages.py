"""What people read when a release waits for them: a letter for e-mail, a card for the chat. Pure."""

import json
from typing import Any

from mlplatform_cdk.runtimekit import release_facts as facts
from mlplatform_cdk.runtimekit.release_gates import OpenGate

# SNS takes a subject of less than 100 printable ASCII characters.
_LONGEST_SUBJECT = 99
# The value by which the buttons of the chat know which messages they belong to.
KIND = "mlplatform-release-gate"


def subject(gate: OpenGate) -> str:
    """One line, as SNS takes it."""
    text = f"{gate.endpoint}: {facts.label(gate.version)} waits for you at {facts.share(gate.percent)}"
    return text.encode("ascii", "replace").decode()[:_LONGEST_SUBJECT]


def letter(gate: OpenGate, *, link: str) -> str:
    """All that is known, and how to answer.

    :param link: the page with the two buttons; empty: there is none.
    """
    command = f'{{}} {gate.endpoint} --gate {gate.id} --reason "..."'
    answers = [
        f"  mlplatform release {command.format('approve')}",
        f"  mlplatform release {command.format('reject')}",
        *(
            ["", f"Or open {link}", "Whoever has this link can answer in your place: do not pass it on."]
            if link
            else []
        ),
    ]
    parts = [
        _sentence(gate),
        facts.known(gate.metrics) or "Nothing was measured yet.",
        "Answer:\n" + "\n".join(answers),
        f"Execution: {facts.execution_url(gate.release)}",
    ]
    return "\n\n".join(parts) + "\n"


def card(gate: OpenGate, *, link: str, function: str, region: str) -> str:
    """The same as a custom notification of Amazon Q Developer in chat applications (AWS Chatbot).

    https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html

    :param link: the page with the two buttons; empty: there is none.
    :param function: what the buttons invoke.
    :param region: where that is.
    """
    known = facts.known(gate.metrics)
    steps = [f"Execution: {facts.execution_url(gate.release)}", *([f"Page: {link}"] if link else [])]
    message: dict[str, Any] = {
        "version": "1.0",
        "source": "custom",
        "id": gate.id,
        "content": {
            "textType": "client-markdown",
            "title": subject(gate),
            "description": "\n".join([_sentence(gate), *(["```", known, "```"] if known else [])]),
            "nextSteps": steps,
        },
        "metadata": {
            "threadId": facts.execution_name(gate.release),
            "summary": subject(gate),
            "eventType": "release-gate",
            "relatedResources": [gate.release, gate.version],
            # What the buttons need; a variable of a custom action is taken from here.
            "additionalContext": {"kind": KIND, "gate": gate.id, "function": function, "region": region},
        },
    }
    return json.dumps(message)


def _sentence(gate: OpenGate) -> str:
    return (
        f"{facts.label(gate.version)} {facts.standing(gate.percent, gate.endpoint, gate.metrics)}, and "
        f"waits for a yes until {facts.moment(gate.expires)}. Without one it goes {_without(gate)}."
    )


def _without(gate: OpenGate) -> str:
    return "no further" if facts.journey(gate.metrics) else "back"

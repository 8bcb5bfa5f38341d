"""``aws:executeScript``: the document's Python, in a process of its own under the document's role."""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlplatform_cdk.local import roles, settings
from mlplatform_cdk.local.adapters.automation.values import Wrong
from mlplatform_cdk.local.adapters.lambda_functions import environment, workers

LONGEST_S = 600.0  # https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-executeScript.html
SERVICE = "ssm.amazonaws.com"


def run(inputs: Mapping[str, Any], *, role_arn: str, region: str, session: str) -> Any:
    """What the script's function answers.

    :param inputs: of the step.
    :param role_arn: whose permissions it has.
    :param region: where it makes its calls.
    :param session: names the session in error messages.
    :raises Wrong: when it is no Python, raises, or takes too long.
    """
    if not str(inputs.get("Runtime", "")).startswith("python"):
        raise Wrong(f"the Runtime must be Python's in the embedded AWS, got {inputs.get('Runtime')!r}")
    parent = settings.current().state_dir / "automation"
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=parent))
    (folder / "script.py").write_text(str(inputs["Script"]), encoding="utf-8")
    worker = workers.Worker("", _variables(inputs, folder, role_arn, region, session), folder)
    request = {"request_id": str(uuid.uuid4()), "event": json.dumps(inputs.get("InputPayload") or {}), "arn": session}
    try:
        answer, lines = worker.call({**request, "seconds": LONGEST_S})
    except workers.TimedOut as late:
        raise Wrong(f"the script must end within {LONGEST_S:g} s") from late
    except workers.WorkerEnded as ended:
        raise Wrong(f"the script's process ended with {ended}: {' '.join(worker.lines)}") from ended
    finally:
        worker.end()
    if "error" in answer:
        raise Wrong(f"{answer['error']['errorType']}: {answer['error']['errorMessage']} {' '.join(lines[-1:])}".strip())
    return json.loads(answer["payload"])


def _variables(inputs: Mapping[str, Any], folder: Path, role_arn: str, region: str, session: str) -> dict[str, str]:
    names = ("FUNCTION_NAME", "FUNCTION_VERSION", "LOG_GROUP_NAME", "LOG_STREAM_NAME")
    try:
        own = roles.environment_for(role_arn.split(":")[4], region, role_arn, session, service=SERVICE)
    except roles.RoleCannotBeAssumed as refused:
        raise Wrong(str(refused)) from refused
    return {
        **environment.inherited(),
        **{f"AWS_LAMBDA_{name}": session for name in names},
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "_HANDLER": f"script.{inputs['Handler']}",
        "LAMBDA_TASK_ROOT": str(folder),
        **own,
    }

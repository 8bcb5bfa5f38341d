"""CloudFormation is always told how a request went."""

from collections.abc import Callable, Mapping
from typing import Any

from mlplatform_cdk.runtimekit import logs, stack_answer

_LOG = logs.logger("internal-api")


def answer(event: Mapping[str, Any], physical_id: str, work: Callable[[], Mapping[str, str]]) -> None:
    """Do ``work``, which nothing has to take back, and tell CloudFormation what it gave or why it failed.

    :param physical_id: of what ``event`` is about; a deletion keeps the id that it names.
    :param work: gives the attributes of the resource.
    """
    deletes = event["RequestType"] == "Delete"
    named = event.get("PhysicalResourceId", physical_id) if deletes else physical_id
    stack_answer.carry_out(event, named, lambda: None if deletes else work(), log=_LOG, what=event["ResourceType"])

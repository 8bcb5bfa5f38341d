"""What an arrival in the lake leads to. Pure: no clock, no network."""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from mlplatform_cdk.runtimekit.s3 import StoredObject

_LONGEST_DATASET = 13  # so that the name is one that a run may have: 37 characters


class Decision(StrEnum):
    """What becomes of one message."""

    SUPERSEDED = "superseded"  # a later arrival has a message of its own
    DONE = "done"  # this state of the data has its run already
    BUSY = "busy"  # another run is in progress: try again later
    START = "start"


def decide(arrived: datetime, objects: Iterable[StoredObject], *, name: str, running: Iterable[str]) -> Decision:
    """What the arrival at ``arrived`` leads to.

    :param arrived: when the object of the message arrived.
    :param objects: what lies in the data set now.
    :param name: the name of the run for this state of the data.
    :param running: the names of the runs in progress.
    """
    moments = [one.modified for one in objects]
    if not moments or max(moments) > arrived:
        return Decision.SUPERSEDED
    in_progress = set(running)
    if name in in_progress:
        return Decision.DONE
    return Decision.BUSY if in_progress else Decision.START


def run_name(dataset_uri: str, version: str, state_machine_arn: str) -> str:
    """A run's name: the same for the same data and pipeline, and no other pipeline's, since its jobs carry it too.

    :param dataset_uri: where the data set lies.
    :param version: the version of the data.
    :param state_machine_arn: the pipeline.
    """
    folder = dataset_uri.rstrip("/").rsplit("/", 1)[-1]
    dataset = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[:_LONGEST_DATASET].rstrip("-") or "data"
    pipeline = hashlib.sha256(state_machine_arn.encode()).hexdigest()[:6]
    return f"{dataset}-{version}-{pipeline}"

"""Takes arrivals off the queue, after its quiet period, and starts one run for the data as it then lies."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from mlplatform_cdk.data.ingest.runtime.decision import Decision, decide, run_name
from mlplatform_cdk.runtimekit import aws, logs, s3, settings
from mlplatform_cdk.runtimekit.raw_data import version_of

_LOG = logs.logger("ingest")


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Settle each arrival of the batch; those that must wait for a run in progress go back to the queue."""
    waiting = [record["messageId"] for record in event["Records"] if _settle(record) is Decision.BUSY]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in waiting]}


def _settle(record: Mapping[str, Any]) -> Decision:
    arrival = json.loads(record["body"])
    uri, pipeline = settings.required("DATASET_URI"), settings.required("STATE_MACHINE_ARN")
    objects = list(s3.listing(uri))
    # Files that are no CSV start a run as well: the quality gate then tells what is wrong with them.
    data = [one for one in objects if one.location.key.lower().endswith(".csv")] or objects
    name = run_name(uri, version_of(data, uri), pipeline)
    decision = decide(_moment(arrival, objects), objects, name=name, running=_running(pipeline))
    if decision is Decision.START and not _start(pipeline, name, uri):
        decision = Decision.DONE
    _LOG.info("settled", extra={"run_id": name, "key": arrival["detail"]["object"]["key"], "decision": str(decision)})
    return decision


def _moment(arrival: Mapping[str, Any], objects: Iterable[s3.StoredObject]) -> datetime:
    """When the object arrived: by its event, or by the listing, whose clock S3 does not promise to be the same.

    Else an object that the listing dates a second after its own event would wait for a later arrival for ever.
    """
    event = arrival["detail"]["object"]
    own = [one.modified for one in objects if (one.location.key, one.etag) == (event["key"], event.get("etag"))]
    return max([datetime.fromisoformat(arrival["time"]), *own])


def _running(pipeline: str) -> list[str]:
    pages = aws.client("stepfunctions").get_paginator("list_executions")
    found = pages.paginate(stateMachineArn=pipeline, statusFilter="RUNNING")
    return [execution["name"] for page in found for execution in page["executions"]]


def _start(pipeline: str, name: str, uri: str) -> bool:
    """Start the run, or answer False where this state of the data has had its run."""
    client = aws.client("stepfunctions")
    try:
        client.start_execution(stateMachineArn=pipeline, name=name, input=json.dumps({"dataset_uri": uri}))
    except client.exceptions.ExecutionAlreadyExists:
        return False
    return True

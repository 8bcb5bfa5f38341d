"""The first step of a run."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from mlplatform_cdk.runtimekit import logs, settings
from mlplatform_cdk.training.request.runtime.request import read_request

_LOG = logs.logger("request")


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Complete the execution's ``input`` from the pipeline's defaults."""
    logs.bind(run_id=event["run_id"])
    request = read_request(
        event["run_id"],
        event["input"],
        dataset_uri=settings.required("DATASET_URI"),
        hyperparameters=json.loads(settings.required("HYPERPARAMETERS")),
    )
    _LOG.info("accepted", extra=asdict(request))
    return asdict(request)

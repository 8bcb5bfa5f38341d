"""Turns a caught error into what people are told."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.training.explain.runtime.explanation import explain

_LOG = logs.logger("explain")


def handle(event: Mapping[str, Any], context: object) -> dict[str, str]:  # noqa: ARG001 - Lambda's signature
    """``{"Error": the step, "Cause": the sentence}`` for the ``failure`` in ``event``."""
    logs.bind(run_id=event["run_id"])
    explanation = explain(event["failure"])
    _LOG.error(explanation.cause, extra={"step": explanation.error})
    return {"Error": explanation.error, "Cause": explanation.cause}

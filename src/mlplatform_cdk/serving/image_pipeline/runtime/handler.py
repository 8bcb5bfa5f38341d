"""Answers CloudFormation when the image is there and signed: starts a build, waits for both, says how it ended."""

import time
from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.runtimekit import logs, stack_answer
from mlplatform_cdk.serving.image_pipeline.runtime import build, signing

_LOG = logs.logger("image")
_RESERVE_S = 30.0  # to answer in


def handle(event: Mapping[str, Any], context: Any) -> None:
    """Carry out ``event``, and say how it went, whatever happened."""
    properties = event["ResourceProperties"]
    variables = properties["Variables"]
    repository, tag = variables["REPOSITORY"], variables["TAG"]
    # Always the same: a new image is no new resource, and the deletion of this one keeps every image.
    physical_id = f"image/{properties['Project']}"

    def work() -> Mapping[str, str]:
        if event["RequestType"] != "Delete":
            end = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - _RESERVE_S
            build.run(properties["Project"], variables, seconds_left=lambda: end - time.monotonic())
            signing.wait(repository, tag, seconds_left=end - time.monotonic())
        return {"Repository": repository}  # never the tag: another stack may import this, and then it cannot change

    stack_answer.carry_out(event, physical_id, work, log=_LOG, what=f"building image {tag}")

"""The steps of the machine that need judgement: each reads the world, asks a pure decision, and answers with it."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import live, production, scaling, trials
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseRefused
from mlplatform_cdk.release.blue_green.runtime.failure import failure_of
from mlplatform_cdk.release.blue_green.runtime.plan import WAIT, Request, make_plan
from mlplatform_cdk.release.blue_green.runtime.turn import must_wait
from mlplatform_cdk.release.blue_green.runtime.watch import has_settled
from mlplatform_cdk.release.blue_green.runtime.way_back import way_back
from mlplatform_cdk.runtimekit import aws, settings
from mlplatform_cdk.runtimekit.endpoint_specification import EndpointSpecification

Event = Mapping[str, Any]
_LONGEST_REASON = 1024  # of an approval's description


def plan(event: Event) -> dict[str, Any]:
    """What this release must do, or that it must wait for its turn."""
    package_arn = _requested(event["request"])
    specification = EndpointSpecification.from_mapping(event["specification"])
    request = Request(
        version=live.read_version(package_arn),
        specification=specification,
        execution_arn=event["execution_arn"],
        by_approval=event["request"].get("by") == "approval",
    )
    made = make_plan(
        request,
        live.read_endpoint(specification.endpoint_name),
        must_wait=_is_before(event),
        model_exists=live.model_exists(request.model_name),
        others_marked=any(arn != package_arn for arn in production.in_service(_group(package_arn))),
    )
    looks = event["looks"] + 1
    if made["way"] == WAIT and looks >= event["most_looks"]:
        message = f"a release must get its turn within {looks} looks, and did not: {made['why']}"
        raise ReleaseRefused(message)
    return {**made, "looks": looks, "package_arn": request.version.arn}


def watch(event: Event) -> dict[str, Any]:
    """Whether the endpoint has become what was asked for."""
    looks = event["looks"] + 1
    settled = has_settled(
        live.read_endpoint(event["endpoint_name"]),
        configuration=event["configuration"],
        weights=_weights(event["variants"]),
        looks=looks,
        most_looks=event["most_looks"],
    )
    return {"settled": settled, "looks": looks}


def test(event: Event) -> dict[str, Any]:
    """Green's record, or every problem that it has."""
    manifest = event["manifest"]
    return trials.try_green(
        event["endpoint_name"], event["variant"], manifest_uri=manifest["uri"], manifest_sha256=manifest["sha256"]
    )


def suspend_scaling(event: Event) -> dict[str, Any]:
    """Hold scaling still."""
    scaling.suspend(event["endpoint_name"], event["scaled"])
    return {}


def remove_scaling(event: Event) -> dict[str, Any]:
    """Let go of the variants, so that one of them can go."""
    scaling.remove(event["endpoint_name"], event["scaled"])
    return {}


def mark(event: Event) -> dict[str, Any]:
    """Say in the registry what is in production now."""
    description = f"released to {event['endpoint_name']} by {event['execution_arn']}"
    former = production.mark(event["package_arn"], _group(event["package_arn"]), description=description)
    return {"former": former}


def go_back(event: Event) -> dict[str, Any]:
    """The next step back; the last one restores the scaling."""
    looks, failure, made = event["looks"] + 1, failure_of(event["failure"]), event["plan"]
    endpoint = live.read_endpoint(event["endpoint_name"])
    step = way_back(made, failure, endpoint, looks=looks, most_looks=event["most_looks"])
    if step.is_blue_again:
        alive = {one.name for one in endpoint.variants}
        scaling.restore(event["endpoint_name"], [one for one in made["scaled"] if one["variant"] in alive])
    said = f"{failure.reason}; {step.outcome}"
    return {**asdict(step), "looks": looks, "step": failure.step, "reason": said[:_LONGEST_REASON], "sentence": said}


def _requested(request: object) -> str:
    arn = request.get("model_package_arn") if isinstance(request, Mapping) else None
    if not isinstance(arn, str) or ":model-package/" not in arn:
        message = f'a release must be started with {{"model_package_arn": "arn:…:model-package/…"}}, got {request}'
        raise ReleaseRefused(message)
    group = settings.required("MODEL_PACKAGE_GROUP_NAME")
    if _group(arn) != group:
        message = f"this endpoint releases the versions of {group}, got {arn}"
        raise ReleaseRefused(message)
    return arn


def _group(package_arn: str) -> str:
    return package_arn.rpartition(":model-package/")[2].rpartition("/")[0]


def _is_before(event: Event) -> bool:
    pages = aws.client("stepfunctions").get_paginator("list_executions")
    running = [
        one
        for page in pages.paginate(stateMachineArn=event["machine_arn"], statusFilter="RUNNING")
        for one in page["executions"]
    ]
    return must_wait(event["execution_arn"], datetime.fromisoformat(event["started"]), running)


def _weights(variants: list[Mapping[str, Any]]) -> dict[str, float]:
    return {one["VariantName"]: one["DesiredWeight"] for one in variants}

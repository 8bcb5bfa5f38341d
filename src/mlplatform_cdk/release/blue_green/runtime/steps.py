"""The steps of the machine that need judgement: each reads the world, asks a pure decision, and answers with it."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import (
    audit,
    live,
    lock,
    preflight,
    production,
    proofs,
    retiring,
    scaling,
    trials,
)
from mlplatform_cdk.release.blue_green.runtime.core import SLOW_S, pause_s
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseFailed, ReleaseRefused, ReleaseWithdrawn
from mlplatform_cdk.release.blue_green.runtime.plan import (
    BESIDE,
    FINISH,
    FIRST,
    RESUME,
    WAIT,
    Request,
    make_plan,
)
from mlplatform_cdk.release.blue_green.runtime.sizes import resized
from mlplatform_cdk.release.blue_green.runtime.state import CHANGING, IN_SERVICE, REJECTED
from mlplatform_cdk.release.blue_green.runtime.watch import has_settled
from mlplatform_cdk.runtimekit import settings
from mlplatform_cdk.runtimekit.endpoint_specification import SEPARATOR, EndpointSpecification
from mlplatform_cdk.runtimekit.release_strategy import Strategy

Event = Mapping[str, Any]


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
    others = [one for one in production.versions(_group(package_arn)) if one.arn != package_arn]
    made = make_plan(
        request,
        live.read_endpoint(specification.endpoint_name),
        model_exists=live.model_exists(request.model_name),
        others_marked=any(one.stage_status == IN_SERVICE for one in others),
        rejected=[one.arn for one in others if one.approval == REJECTED],
        shadow_percent=event["shadow_percent"],
    )
    looks = event["looks"] + 1
    if made["way"] == WAIT and looks >= event["most_looks"]:
        message = f"the endpoint must be ready for a release within {looks} looks, and is not: {made['why']}"
        raise ReleaseRefused(message)
    made |= {"looks": looks, "package_arn": request.version.arn}
    if made["way"] in (FIRST, BESIDE, RESUME, FINISH):
        lock.keep(event["endpoint_name"], event["execution_arn"], made)
    if made["way"] != WAIT:
        sides = {side: made[side]["variant"] for side in ("green", "blue") if made[side]["variant"]}
        # An execution plans twice where it finds an endpoint that never came up.
        said, metrics = made["way"], {"variants": sides}
        audit.write(event, "Plan", said, plan=made, reason=made["why"], metrics=metrics, sequence=said)
    return made


def examine(event: Event) -> dict[str, Any]:
    """Nothing is wrong with the version and with what its release needs."""
    found = preflight.preflight(event)
    audit.write(event, "Preflight", "passed", reason=found["record"])
    return found


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
    return {"settled": settled, "looks": looks, "every_s": pause_s(looks, event.get("pause_s", SLOW_S))}


def test(event: Event) -> dict[str, Any]:
    """Green's record, or every problem that it has."""
    manifest = event["manifest"]
    record = trials.try_green(
        event["endpoint_name"], event["variant"], manifest_uri=manifest["uri"], manifest_sha256=manifest["sha256"]
    )
    found = proofs.prove(
        event["endpoint_name"],
        event["plan"],
        trials.read_manifest(manifest["uri"], manifest["sha256"]),
        strategy=Strategy.from_mapping(event["strategy"]),
        capture_uri=event["capture_uri"],
    )
    record["record"] = "; ".join([record["record"], *(one.said for one in found)])
    metrics = record | {name: value for one in found for name, value in one.metrics.items()}
    audit.write(event, "TestGreen", "passed", reason=str(record["record"]), metrics=metrics)
    return {**record, "tested": True}


def measure(event: Event) -> dict[str, Any]:
    """The plan, of the sizes that blue has by now: from its making until scaling stood still the load may have grown.

    :param event: ``plan`` and ``specification``.
    """
    made: dict[str, Any] = event["plan"]
    if made["way"] == BESIDE:
        specification = EndpointSpecification.from_mapping(event["specification"])
        made = resized(made, live.read_endpoint(event["endpoint_name"]), specification)
        lock.keep(event["endpoint_name"], event["execution_arn"], {**made, "shifted": False})
    return made


def let_scale(event: Event) -> dict[str, Any]:
    """Let a variant scale by its own load."""
    scaling.restore(event["endpoint_name"], [event["target"]])
    return {}


def hold_still(event: Event) -> dict[str, Any]:
    """Hold whatever scales still, and say whether the endpoint has come to rest: while it scales it takes no change.

    :raises ReleaseFailed: when it does not come to rest.
    """
    name, looks = event["endpoint_name"], event["looks"] + 1
    scaling.suspend(name, [one.to_mapping() for one in scaling.read_targets(name)])
    status = live.read_endpoint(name).status
    if status != "InService" and (status not in CHANGING or looks >= event["most_looks"]):
        message = f"the endpoint must be InService to go on, got {status or 'no endpoint'} after {looks} looks"
        raise ReleaseFailed(message)
    return {"settled": status == "InService", "looks": looks}


def remove_scaling(event: Event) -> dict[str, Any]:
    """Let go of the variants, so that one of them can go."""
    scaling.remove(event["endpoint_name"], event["scaled"])
    return {}


def remove_scaling_of_blue(event: Event) -> dict[str, Any]:
    """Let go of blue, whoever registered it."""
    scaling.remove(event["endpoint_name"], [{"variant": event["blue"]}])
    return {}


def mark(event: Event) -> dict[str, Any]:
    """Say in the registry what is in production now.

    :raises ReleaseWithdrawn: when the version is not approved any more.
    """
    if lost := live.read_approval(event["package_arn"]).lost(event["package_arn"]):
        raise ReleaseWithdrawn(lost)
    description = f"released to {event['endpoint_name']} by {event['execution_arn']}"
    former = production.mark(event["package_arn"], _group(event["package_arn"]), description=description)
    arn = event["package_arn"]  # an execution may complete another one's release before its own
    audit.write(event, "MarkProduction", "in production", version=arn, reason=description, sequence=arn)
    return {"former": former}


def clean_up(event: Event) -> dict[str, Any]:
    """Delete what former versions left, but for the last ones."""
    name = event["endpoint_name"]
    prefix = f"{name}{SEPARATOR}"
    endpoint = live.read_endpoint(name)
    used = [endpoint.configuration, *(one.model for one in endpoint.variants)]
    models, configurations = retiring.to_delete(
        retiring.listed("models", prefix),
        retiring.listed("endpoint_configs", prefix),
        prefix=prefix,
        used=used,
        kept_versions=event["kept_versions"],
    )
    retiring.delete(models, configurations)
    return {"models": models, "configurations": configurations}


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


def _weights(variants: list[Mapping[str, Any]]) -> dict[str, float]:
    return {one["VariantName"]: one["DesiredWeight"] for one in variants}

"""The plan of a release: what must happen to which names. Pure.

Traffic goes to the variant with weight. Another one beside it is what the last release keeps as the way back: its place
is the next green's, so that it retires in the same update. The plan goes on from whatever it finds, or says why it
cannot.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.blue import blue_of, kept_variants
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseRefused
from mlplatform_cdk.release.blue_green.runtime.sizes import COUNT, size_beside
from mlplatform_cdk.release.blue_green.runtime.state import (
    CHANGING,
    IN_SERVICE,
    RETIRED,
    Live,
    Variant,
    Version,
)
from mlplatform_cdk.runtimekit.endpoint_specification import PACKAGE_VARIABLE, VARIANTS, EndpointSpecification

FIRST, BESIDE, RESUME, FINISH = "first", "beside", "resume", "finish"
NOTHING, WAIT, CLEAR = "nothing", "wait", "clear"
# SageMaker has one shadow at most, and never lets it answer: it needs no place of its own.
SHADOW_VARIANT = "shadow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which release is asked for.

    :param version: what to release.
    :param specification: what its fleet must look like.
    :param execution_arn: who releases; the names of the configurations hold its digest.
    :param by_approval: started by the event of an approval, not by hand.
    """

    version: Version
    specification: EndpointSpecification
    execution_arn: str
    by_approval: bool

    @property
    def model_name(self) -> str:
        """The same for the same version in the same shape, whoever releases it."""
        version = self.version
        content = [version.arn, version.image, version.model_data_url, dict(version.environment)]
        digest = _digest([*content, self.specification.digest()], 8)
        return f"{self.specification.name_prefix}v{version.number}-{digest}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of its container: the version's own, over them the endpoint's, and which version it is."""
        return {**self.version.environment, **self.specification.environment, PACKAGE_VARIABLE: self.version.arn}

    def configuration_name(self, kind: str) -> str:
        """Of this execution alone, so that a configuration by this name is the one that it made."""
        return configuration_name(self.specification.name_prefix, self.version.number, self.execution_arn, kind)


def make_plan(
    request: Request,
    live: Live,
    *,
    model_exists: bool,
    others_marked: bool,
    rejected: Collection[str] = (),
    shadow_percent: float = 0.0,
) -> dict[str, Any]:
    """The plan, with every member there whatever the way, so that the states can refer to it.

    :param request: which release is asked for.
    :param live: the endpoint now.
    :param model_exists: was the model made by an earlier release of this version.
    :param others_marked: does the registry still say of another version that it is in service.
    :param rejected: the versions that the registry says are rejected.
    :param shadow_percent: the share of the requests of which green first gets copies; default: of none.
    :raises ReleaseRefused: when the release must not begin.
    """
    way, why = _way(request, live, others_marked=others_marked, rejected=rejected)
    green, blue = _sides(request, live, way)
    configuration = request.configuration_name("only")
    shared = {FIRST: configuration, BESIDE: request.configuration_name("both")}.get(way, live.configuration)
    kept = kept_variants(blue)
    return {
        "way": way,
        "why": why,
        "label": request.version.label,
        # Where nothing was touched, there is nothing to go back to.
        "before": live.configuration if way == BESIDE else "",
        "finishing": way == FINISH,
        # Has green had requests of callers? Without, what they feel is not its doing.
        "shifted": way != BESIDE,
        "model": {
            "name": request.model_name,
            "exists": model_exists,
            "image": request.version.image,
            "data_url": request.version.model_data_url,
            "environment": request.environment,
        },
        "green": {
            "variant": green,
            "configuration": configuration,
            "variants": [_definition(request, green, live, weight=1.0)],
        },
        "blue": blue_of(blue, live, alone=request.configuration_name("blue")),
        "shared": {
            "configuration": shared,
            "variants": [*kept, _definition(request, green, live, weight=0.0)],
            "keyed": live.keyed,
            # What was in green's place has another capacity, and weights that are not green's.
            "retain": live.variant(green) is None,
        },
        "shadow": {
            "configuration": request.configuration_name("shadow"),
            "variants": kept,
            "shadows": [_definition(request, SHADOW_VARIANT, live, weight=shadow_percent / 100)],
        },
        "scaled": [one.to_mapping() for one in live.targets],
        "manifest": {"uri": request.version.manifest_uri, "sha256": request.version.manifest_sha256},
        # A version that serves already is not rejected because its new fleet failed.
        "rejectable": request.version.arn not in {one.package_arn for one in live.variants if one.weight > 0},
    }


def _way(request: Request, live: Live, *, others_marked: bool, rejected: Collection[str]) -> tuple[str, str]:
    version = request.version
    if version.approval != "Approved":
        if request.by_approval:
            return NOTHING, f"{version.label} was approved, and is {version.approval} by now"
        message = f"{version.label} must be Approved to be released, got {version.approval}; approve it in the registry"
        raise ReleaseRefused(message)
    if request.by_approval and version.stage_status == RETIRED:
        return NOTHING, f"{version.label} was in production before; start its release by hand to bring it back"
    if live.status in CHANGING:
        return WAIT, f"the endpoint is {live.status}"
    if not live.status:
        return FIRST, "there is no endpoint yet"
    if live.status == "Failed":  # it never came up, serves nothing, and can only be deleted
        return CLEAR, f"the endpoint failed ({live.reason or 'SageMaker gave no reason'}) and is made anew"
    if live.status != "InService":
        message = (
            f"endpoint {request.specification.endpoint_name} must be InService, got {live.status} "
            f"({live.reason or 'SageMaker gave no reason'}); delete it, and this release will make it anew"
        )
        raise ReleaseRefused(message)
    return _way_beside(request, live, others_marked=others_marked, rejected=rejected)


def _way_beside(request: Request, live: Live, *, others_marked: bool, rejected: Collection[str]) -> tuple[str, str]:
    current = _current(request, live)
    if current.model != request.model_name:
        return BESIDE, f"{current.model} serves now"
    marked = request.version.stage_status == IN_SERVICE and not others_marked
    # A way back that is smaller was scaled down by a release that had passed all; it could not take the traffic now.
    is_whole = all(one.instances >= current.instances for one in live.variants)
    # Nor could one that was rejected, which must not have the traffic even for the time of a test.
    is_fit = not any(one.package_arn in rejected for one in live.variants if one is not current)
    if len(live.variants) > 1 and not marked and is_whole and is_fit:
        return RESUME, "it has the traffic and was never called production; it is tested again without"
    if marked and _scales_as_specified(request.specification, live, current):
        return NOTHING, f"{request.version.label} serves all traffic already"
    return FINISH, f"{request.version.label} serves all traffic already, but its release was not finished"


def _current(request: Request, live: Live) -> Variant:
    """The one variant that has the traffic."""
    if len(live.variants) == 1:
        return live.variants[0]
    serving = [one for one in live.variants if one.weight > 0]
    if len(serving) != 1:
        shares = ", ".join(f"{one.name}: {one.weight:g}" for one in live.variants)
        message = (
            f"endpoint {request.specification.endpoint_name} must have all its traffic on one variant, got {shares}; "
            "set all weights but one to 0"
        )
        raise ReleaseRefused(message)
    return serving[0]


def _scales_as_specified(specification: EndpointSpecification, live: Live, current: Variant) -> bool:
    target = next((one for one in live.targets if one.variant == current.name), None)
    if not specification.scales:
        return target is None
    bounds = (specification.minimum, specification.maximum, False)
    return target is not None and (target.minimum, target.maximum, target.suspended) == bounds


def _sides(request: Request, live: Live, way: str) -> tuple[str, Variant | None]:
    """Green's place, and blue."""
    if way not in (BESIDE, RESUME, FINISH):
        return VARIANTS[0], None
    current = _current(request, live)
    if way == BESIDE:
        return next(name for name in VARIANTS if name != current.name), current
    other = next((one for one in live.variants if one is not current), None)
    return current.name, other


def _definition(request: Request, variant: str, live: Live, *, weight: float) -> dict[str, Any]:
    """Green, as large as what serves now, within its own bounds."""
    specification = request.specification
    now = max((one.instances for one in live.variants if one.weight > 0), default=0)
    chosen = {
        "InferenceAmiVersion": specification.inference_ami_version,
        "ContainerStartupHealthCheckTimeoutInSeconds": specification.startup_timeout_s,
        "ModelDataDownloadTimeoutInSeconds": specification.download_timeout_s,
    }
    return {
        "VariantName": variant,
        "ModelName": request.model_name,
        "InstanceType": specification.instance_type,
        COUNT: size_beside(specification, now),
        "InitialVariantWeight": weight,
        **{name: value for name, value in chosen.items() if value is not None},
    }


def configuration_name(prefix: str, number: str, execution_arn: str, kind: str) -> str:
    """The name of a configuration that one execution makes.

    :param prefix: of the endpoint's names.
    :param number: of the version that it is for.
    :param execution_arn: who makes it.
    :param kind: what it holds.
    """
    return f"{prefix}v{number}-{_digest(execution_arn, 6)}-{kind}"


def _digest(value: object, length: int) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:length]

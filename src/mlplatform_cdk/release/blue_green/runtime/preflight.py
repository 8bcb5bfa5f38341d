"""What must be true before a release touches anything; all that is not is said at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import fleets, live, materials
from mlplatform_cdk.release.blue_green.runtime.compatibility import breaking_changes
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseRefused
from mlplatform_cdk.release.blue_green.runtime.state import Live, Version, label_of
from mlplatform_cdk.runtimekit import logs

_LOG = logs.logger("preflight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a look at a version and its surroundings found.

    :param problems: why it must not be released, a clause each.
    :param notes: what could not be judged, or was let pass, a clause each.
    """

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __add__(self, other: "Findings") -> "Findings":
        """Both, one after the other."""
        return Findings(problems=self.problems + other.problems, notes=self.notes + other.notes)


def preflight(event: Mapping[str, Any]) -> dict[str, Any]:
    """The step: nothing is wrong with the version and with what its release needs.

    :param event: ``package_arn``, ``endpoint_name``, ``fleet`` (the variants of the configuration that comes),
        ``allow_breaking`` (by the strategy) and ``request``, which may say ``allow_breaking`` for this release alone.
    :raises ReleaseRefused: naming every problem.
    """
    version = live.read_version(event["package_arn"])
    endpoint = live.read_endpoint(event["endpoint_name"])
    allowed = bool(event["request"].get("allow_breaking", event["allow_breaking"]))
    findings = examine(version, endpoint, event["fleet"], allow_breaking=allowed)
    if findings.problems:
        raise ReleaseRefused(f"{version.label} must not be released: {'; '.join(findings.problems)}")
    record = "; ".join(["its archive, manifest and image are the ones that were registered", *findings.notes])
    _LOG.info("passed", extra={"version": version.arn, "notes": findings.notes})
    return {"record": record, "notes": [*findings.notes]}


def examine(version: Version, endpoint: Live, fleet: Sequence[Mapping[str, Any]], *, allow_breaking: bool) -> Findings:
    """All that is wrong, and all that could not be judged.

    :param version: what is to be released.
    :param endpoint: where to, as it is now.
    :param fleet: the variants of the configuration that comes.
    :param allow_breaking: may the version break what callers do today.
    """
    approval = () if version.approval == "Approved" else (f"it must be Approved, got {version.approval}",)
    found = Findings(problems=(*approval, *materials.archive_problems(version), *materials.image_problems(version)))
    return found + _contract(version, endpoint, allow_breaking=allow_breaking) + _capacity(endpoint, fleet)


def _contract(version: Version, endpoint: Live, *, allow_breaking: bool) -> Findings:
    green, problems = materials.read_manifest(version)
    if green is None:
        return Findings(problems=tuple(problems))
    serving = next((one.package_arn for one in endpoint.variants if one.weight > 0), "")
    if serving in ("", version.arn):
        return Findings()
    blue, unknown = _known_manifest(serving)
    if blue is None:
        return Findings(notes=(f"what callers of {label_of(serving)} send is not known: {unknown}",))
    changes = tuple(breaking_changes(blue, green))
    if not changes or allow_breaking:
        return Findings(notes=tuple(f"allowed: {change}" for change in changes))
    told = f"it breaks callers of {label_of(serving)}: {', '.join(changes)}; allow_breaking lets it pass"
    return Findings(problems=(told,))


def _known_manifest(package_arn: str) -> tuple[Any, str]:
    """Blue's manifest; a version that was deleted since, or its manifest, is no reason to refuse the next one."""
    try:
        manifest, problems = materials.read_manifest(live.read_version(package_arn))
    except ReleaseRefused as gone:
        return None, str(gone)
    return manifest, "; ".join(problems)


def _capacity(endpoint: Live, fleet: Sequence[Mapping[str, Any]]) -> Findings:
    then = fleets.fleet_of(fleet)
    now = fleets.fleet_of([{**one.definition, "InitialInstanceCount": one.instances} for one in endpoint.variants])
    quotas = fleets.read_quotas([*then])
    unknown = tuple(f"Service Quotas knows no quota for {kind}" for kind in then if kind not in quotas)
    return Findings(problems=tuple(fleets.shortages(now, then, quotas)), notes=unknown)

"""Which API, stage and method a request means: by path, as the embedded AWS's own port has it, or by its host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from moto.apigateway.models import apigateway_backends

from mlplatform_cdk.local.adapters.api_gateway.exchange import Deployed, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from moto.apigateway.models import APIGatewayBackend, RestAPI

# The embedded AWS's way to name a stage without a host name of its own; the default address of an API, so to say.
_BY_PATH = re.compile(r"^/restapis/(?P<api>[^/]+)/(?P<stage>[^/]+)/_user_request_(?P<path>/.*)?$")
_BY_DEFAULT = re.compile(
    r"^(?P<api>[a-z0-9]+)\.execute-api\.(?P<region>[a-z0-9-]+)\.(amazonaws\.com(\.cn)?|localhost)$"
)
_PARAMETER = re.compile(r"\{(\w+)(\+?)\}")

# Which region a name means that several regions serve: in AWS, the address that the name was resolved to says so.
REGION_HEADER = "x-embedded-region"


class Stage(NamedTuple):
    """A stage that a request reached."""

    account: str
    region: str
    api: RestAPI
    name: str
    path: str
    domain: str


def stage_of(host: str, path: str, *, region: str = "") -> Stage | None:
    """The stage that a request means; None where it is not for an API.

    :param host: the ``Host`` header.
    :param path: the request's path.
    :param region: the region that it goes to, for a name that several serve; default: whichever has it.
    """
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    if found := _BY_PATH.match(path):
        return _by_id(found["api"], found["stage"], found["path"] or "/", name)
    if found := _BY_DEFAULT.match(name):
        _, stage, *rest = [*path.split("/", 2), "", ""]
        return _by_id(found["api"], stage, f"/{rest[0]}", name, is_default=True)
    return _by_domain(name.lower(), path, region)


def _by_id(api_id: str, stage: str, path: str, domain: str, *, is_default: bool = False) -> Stage:
    for account, region, backend in _backends():
        if api_id in backend.apis:
            api = backend.apis[api_id]
            if is_default and api.disableExecuteApiEndpoint:
                raise Refusal(403, "Forbidden", "ForbiddenException")
            return Stage(account, region, api, stage, path, domain)
    raise Refusal(403, "Forbidden", "ForbiddenException")


def _by_domain(name: str, path: str, region: str) -> Stage | None:
    found = [one for one in _backends() if name in one[2].domain_names and region in ("", one[1])]
    if not found:
        return None
    if len({one[1] for one in found}) > 1:
        regions = ", ".join(sorted(one[1] for one in found))
        raise Refusal(421, f"{name} is served in {regions}: name one in {REGION_HEADER}", "MisdirectedRequest")
    account, where, backend = found[0]
    first = path.split("/", 2)[1] if path.count("/") else ""
    mappings = backend.base_path_mappings.get(name, {})
    mapping = mappings.get(first) or mappings.get("(none)")
    if mapping is None or mapping.rest_api_id not in backend.apis:
        raise Refusal(403, "Forbidden", "ForbiddenException")
    rest = path[len(first) + 1 :] or "/" if first in mappings else path
    return Stage(account, where, backend.apis[mapping.rest_api_id], mapping.stage, rest, name)


def _backends() -> Iterator[tuple[str, str, APIGatewayBackend]]:
    for account, regions in list(apigateway_backends.items()):
        for region, backend in list(regions.items()):
            yield account, region, backend


def method_of(found: Stage, verb: str) -> Deployed:
    """The method of a stage that a request asks for; one that is not there is refused as an unsigned call is."""
    stage = found.api.stages.get(found.name)
    if stage is None:
        raise Refusal(403, "Forbidden", "ForbiddenException")
    for resource, parameters in _resources(found.api, found.path):
        method = resource.resource_methods.get(verb) or resource.resource_methods.get("ANY")
        if method is not None:
            return Deployed(
                account=found.account,
                region=found.region,
                api=found.api,
                stage=stage,
                resource=resource,
                method=method,
                path_parameters=parameters,
                domain=found.domain,
            )
    raise Refusal(403, "Missing Authentication Token", "MissingAuthenticationTokenException")


def _resources(api: RestAPI, path: str) -> list[tuple[Any, Mapping[str, str]]]:
    """The resources that a path matches: the one without parameters first, a greedy one last."""
    matches = []
    for resource in list(api.resources.values()):
        template = resource.get_path()
        parts = [re.escape(one) for one in re.split(r"(?:\{\w+\+?\})", template)]
        names = _PARAMETER.findall(template)
        pattern = parts[0]
        for (name, greedy), after in zip(names, parts[1:], strict=True):
            pattern += f"(?P<{name}>{'.+' if greedy else '[^/]+'})" + after
        if hit := re.fullmatch(pattern, path.rstrip("/") or "/"):
            matches.append((any(greedy for _, greedy in names), len(names), resource, hit.groupdict()))
    return [(resource, found) for _, _, resource, found in sorted(matches, key=lambda one: one[:2])]

"""What people make in Studio: profiles, spaces and apps, which moto has no API for. They are kept, and nothing runs.

As in SageMaker, what holds another is not deleted before it: a space or a profile with an app, a profile with a space,
a domain with either.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from moto.core.utils import utcnow
from moto.sagemaker.models import SageMakerModelBackend

from mlplatform_cdk.local.adapters.sagemaker_api import (
    Request,
    ResourceInUseException,
    Scope,
    ValidationError,
    take_over,
)

# The keys of each noun within its domain, and what a list may be narrowed by.
_KEYS = {
    "UserProfile": ("UserProfileName",),
    "Space": ("SpaceName",),
    "App": ("UserProfileName", "SpaceName", "AppType", "AppName"),
}
_Place = tuple[str, str, str]
_made: dict[_Place, dict[tuple[str, ...], Request]] = defaultdict(dict)
_delete_domain = SageMakerModelBackend.delete_domain


def install() -> None:
    """Take over the operations on profiles, spaces and apps."""
    for noun in _KEYS:
        for verb, handler in (("Create", _create), ("Describe", _describe), ("Update", _update), ("Delete", _delete)):
            if (verb, noun) != ("Update", "App"):
                take_over(f"{verb}{noun}", _bound(handler, noun))
        take_over(f"List{noun}s", _bound(_list, noun))
    SageMakerModelBackend.delete_domain = _delete_empty_domain


def _bound(handler: Any, noun: str) -> Any:
    def answer(scope: Scope, request: Request) -> Request | None:
        found: Request | None = handler(scope, request, noun)
        return found

    return answer


def _create(scope: Scope, request: Request, noun: str) -> Request:
    domain = request["DomainId"]
    if domain not in scope.backend.domains:
        raise ValidationError(f"Domain {domain} does not exist")
    key, all_of_kind = _key(request, noun), _all(scope, noun)
    if (domain, *key) in all_of_kind:
        raise ResourceInUseException(f"{noun} {'/'.join(filter(None, key))} already exists")
    arn = scope.arn(_kebab(noun), "/".join((domain, *filter(None, key))))
    said = {name: value for name, value in request.items() if name != "Tags"}
    all_of_kind[domain, *key] = said | {f"{noun}Arn": arn, "Status": "InService", "CreationTime": utcnow()}
    return {f"{noun}Arn": arn}


def _describe(scope: Scope, request: Request, noun: str) -> Request:
    return _found(scope, request, noun)


def _update(scope: Scope, request: Request, noun: str) -> Request:
    found = _found(scope, request, noun)
    found.update(request)
    return {f"{noun}Arn": found[f"{noun}Arn"]}


def _delete(scope: Scope, request: Request, noun: str) -> None:
    found = _found(scope, request, noun)
    name = found.get(f"{noun}Name", "")
    holds = [one["AppName"] for one in _all(scope, "App").values() if noun != "App" and one.get(f"{noun}Name") == name]
    if noun == "UserProfile":
        holds += [one["SpaceName"] for one in _all(scope, "Space").values() if _owner(one) == name]
    if holds:
        raise ResourceInUseException(f"Unable to delete {noun} {name}: it is in use by {', '.join(sorted(holds))}")
    del _all(scope, noun)[found["DomainId"], *_key(found, noun)]


def _list(scope: Scope, request: Request, noun: str) -> Request:
    wanted = {name.removesuffix("Equals"): value for name, value in request.items() if name.endswith("Equals")}
    found = [one for one in _all(scope, noun).values() if wanted.items() <= one.items()]
    return {f"{noun}s": found}


def _delete_empty_domain(self: Any, domain_id: str, retention_policy: dict[str, str] | None) -> None:
    scope = Scope(self.account_id, self.region_name)
    left = [key[1] for noun in ("UserProfile", "Space") for key in _all(scope, noun) if key[0] == domain_id]
    if left:
        raise ResourceInUseException(f"Unable to delete Domain {domain_id}: it holds {', '.join(sorted(left))}")
    _delete_domain(self, domain_id, retention_policy)


def _all(scope: Scope, noun: str) -> dict[tuple[str, ...], Request]:
    return _made[scope.account, scope.region, noun]


def _found(scope: Scope, request: Request, noun: str) -> Request:
    key = (request["DomainId"], *_key(request, noun))
    if key not in _all(scope, noun):
        raise ValidationError(f"{noun} {'/'.join(filter(None, key))} does not exist")
    return _all(scope, noun)[key]


def _key(request: Request, noun: str) -> tuple[str, ...]:
    return tuple(request.get(name) or "" for name in _KEYS[noun])


def _owner(space: Request) -> str:
    return str((space.get("OwnershipSettings") or {}).get("OwnerUserProfileName", ""))


def _kebab(noun: str) -> str:
    return "user-profile" if noun == "UserProfile" else noun.lower()

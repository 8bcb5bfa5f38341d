"""The tags of scalable targets, which moto does not have."""

from __future__ import annotations

import json
from typing import Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import FakeScalableTarget, applicationautoscaling_backends
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse as Api
from moto.core.exceptions import JsonRESTError

EXISTS = (
    "The scalable target that you tried to tag already exists. "
    "To update tags on an existing scalable target, use the TagResource API."
)
_register = Api.register_scalable_target


def install() -> None:
    """Let targets be tagged when they are registered and afterwards."""
    Api.register_scalable_target = _register_with_tags
    for name, call in (("tag_resource", _tag), ("untag_resource", _untag), ("list_tags_for_resource", _list)):
        setattr(Api, name, call)


def tags_of(target: FakeScalableTarget) -> dict[str, str]:
    """The tags of a target, to be changed in place."""
    tags: dict[str, str] = target.__dict__.setdefault("tags", {})
    return tags


def find(account: str, region: str, *, arn: str = "", resource_id: str = "", dimension: str = "") -> Any:
    """The target with this ARN, or of this resource and dimension; None where there is none."""
    targets = applicationautoscaling_backends[account][region].targets
    if resource_id:
        return targets.get(dimension, {}).get(resource_id)
    return next((one for of in targets.values() for one in of.values() if one.arn == arn), None)


def _register_with_tags(self: Api) -> str:
    tags, place = self._get_param("Tags") or {}, (self._get_param("ResourceId"), self._get_param("ScalableDimension"))

    def known() -> Any:
        return find(self.current_account, self.region, resource_id=place[0], dimension=place[1])

    if tags and known() is not None:
        raise AWSValidationException(EXISTS)
    answer = _register(self)
    tags_of(known()).update(tags)
    return answer


def _tag(self: Api) -> str:
    _named(self).update(self._get_param("Tags"))
    return "{}"


def _untag(self: Api) -> str:
    tags = _named(self)
    for key in self._get_param("TagKeys"):
        tags.pop(key, None)
    return "{}"


def _list(self: Api) -> str:
    return json.dumps({"Tags": _named(self)})


def _named(api: Api) -> dict[str, str]:
    arn = api._get_param("ResourceARN")
    target = find(api.current_account, api.region, arn=arn)
    if target is None:
        raise JsonRESTError("ResourceNotFoundException", f"No scalable target found for resource ARN: {arn}")
    return tags_of(target)

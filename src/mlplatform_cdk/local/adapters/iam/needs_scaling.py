"""Application Auto Scaling's permissions: a scalable target by its ARN, its tags, and the tags that it is given."""

from __future__ import annotations

from collections.abc import Iterator

from mlplatform_cdk.local.adapters.auto_scaling.tags import find, tags_of
from mlplatform_cdk.local.adapters.iam.arns import make
from mlplatform_cdk.local.adapters.iam.calls import Call
from mlplatform_cdk.local.adapters.iam.conditions import RESOURCE_TAG
from mlplatform_cdk.local.adapters.iam.statements import Need

_NAMED = {"service-namespace": "ServiceNamespace", "scalable-dimension": "ScalableDimension"}
_ON_NOTHING = ("Describe", "GetPredictive")


def of(call: Call) -> Iterator[Need]:
    """What a call of Application Auto Scaling needs; one that makes a target with tags tags it, too."""
    action, parameters = f"{call.prefix}:{call.operation}", call.parameters
    context = {f"{call.prefix}:{key}": [parameters[name]] for key, name in _NAMED.items() if name in parameters}
    if call.operation.startswith(_ON_NOTHING):
        yield Need(action=action, context=context)
        return
    arn, dimension = parameters.get("ResourceARN", ""), parameters.get("ScalableDimension", "")
    resource_id = parameters.get("ResourceId", "")
    target = find(call.account, call.region, arn=arn, resource_id=resource_id, dimension=dimension)
    given = dict(parameters.get("Tags") or {})
    # One that is being made has the tags that it is made with:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourcetag
    has = given if target is None else tags_of(target)
    context[RESOURCE_TAG] = []
    context |= {f"{RESOURCE_TAG}{key}".lower(): [value] for key, value in has.items()}
    context |= {f"aws:requesttag/{key}".lower(): [value] for key, value in given.items()}
    if keys := parameters.get("TagKeys") or [*given]:
        context["aws:tagkeys"] = [*keys]
    resources = (arn or (target.arn if target else make(call, "scalable-target/*")),)
    yield Need(action=action, resources=resources, context=context)
    if call.operation == "RegisterScalableTarget" and given:
        yield Need(action=f"{call.prefix}:TagResource", resources=resources, context=context)

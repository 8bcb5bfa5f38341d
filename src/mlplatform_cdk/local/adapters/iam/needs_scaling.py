"""Application Auto Scaling's permissions: a scalable target, its tags, and what is behind it.

https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from moto.sagemaker.models import sagemaker_backends

from mlplatform_cdk.local.adapters.auto_scaling.tags import find, tags_of
from mlplatform_cdk.local.adapters.iam import needs_sagemaker
from mlplatform_cdk.local.adapters.iam.arns import make
from mlplatform_cdk.local.adapters.iam.calls import Call
from mlplatform_cdk.local.adapters.iam.conditions import RESOURCE_TAG
from mlplatform_cdk.local.adapters.iam.statements import Need

_NAMED = {"service-namespace": "ServiceNamespace", "scalable-dimension": "ScalableDimension"}
_LOOKED_BEHIND = ("PutScalingPolicy", "RegisterScalableTarget")
_ON_ENDPOINT = ("DescribeEndpoint", "UpdateEndpointWeightsAndCapacities")
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
    if call.operation in _LOOKED_BEHIND and resource_id.startswith("endpoint/"):
        yield from _behind(call, resource_id)


def _behind(call: Call, resource_id: str) -> Iterator[Need]:
    """What whoever registers a variant, or gives it a policy, must be allowed on its endpoint and its alarms."""
    name = resource_id.split("/")[1]
    asked = [(operation, {"EndpointName": name}) for operation in _ON_ENDPOINT]
    if live := sagemaker_backends[call.account][call.region].endpoints.get(name):
        asked.append(("DescribeEndpointConfig", {"EndpointConfigName": live.endpoint_config_name}))
    for operation, parameters in asked:
        yield from needs_sagemaker.of(replace(call, prefix="sagemaker", operation=operation, parameters=parameters))
    alarm = make(call, f"alarm:TargetTracking-{resource_id}-Alarm", service="cloudwatch")
    for action in ("DeleteAlarms", "DescribeAlarms", "PutMetricAlarm"):
        yield Need(action=f"cloudwatch:{action}", resources=(alarm,))

"""Scalable targets that say whose they are: a role may take out of scaling what carries its owner's tag alone.

AWS chooses the targets' ids, so that a policy can name them by nothing but a tag:
https://docs.aws.amazon.com/autoscaling/application/userguide/resource-tagging-support.html
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlplatform_cdk.runtimekit import aws, logs
from mlplatform_cdk.runtimekit.errors import KnownError

OWNER_TAG = "mlplatform:scaled-by"
VARIANTS_SCALE = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
_LOG = logs.logger("scaling")
_TAG_IS_SEEN_S = 5.0  # IAM looks at tags as they were a moment ago


class NotOurTarget(KnownError):
    """A scalable target that does not carry its owner's tag, and cannot be given it."""


def place_of(endpoint: str, variant: str) -> dict[str, str]:
    """What names the scaling of a variant in each call."""
    return {**VARIANTS_SCALE, "ResourceId": f"endpoint/{endpoint}/variant/{variant}"}


def registered(endpoint: str, variants: Iterable[str]) -> list[dict[str, Any]]:
    """The targets of those variants that scale."""
    ids = [place_of(endpoint, variant)["ResourceId"] for variant in variants]
    if not ids:
        return []
    client = aws.client("application-autoscaling")
    return list(client.describe_scalable_targets(**VARIANTS_SCALE, ResourceIds=ids)["ScalableTargets"])


def register(asked: Mapping[str, Any], *, owner: str, **patience: int) -> None:
    """Let a variant scale, or change how it does; its target carries ``owner`` by then.

    :param asked: the parameters of the call, without tags, which AWS takes for a new target only.
    :param owner: whose target it is.
    :param patience: with each call, as ``aws.client`` takes it; default: its own.
    :raises NotOurTarget: when one that is there is another owner's, or may not be tagged; nothing was changed then.
    """
    client = aws.client("application-autoscaling", **patience)
    known = client.describe_scalable_targets(**VARIANTS_SCALE, ResourceIds=[asked["ResourceId"]])["ScalableTargets"]
    for target in known:
        _claim(client, target, owner)
    client.register_scalable_target(**asked, **({} if known else {"Tags": {OWNER_TAG: owner}}))


def deregister(targets: Sequence[Mapping[str, Any]], *, owner: str) -> None:
    """Take ``targets`` out of scaling; one that is gone already is no error.

    :param targets: as ``registered`` has them.
    :param owner: whose they are.
    :raises NotOurTarget: when one is another owner's, or has no tag and may not be given it.
    """
    client = aws.client("application-autoscaling")
    for target in targets:
        if _claim(client, target, owner):
            time.sleep(_TAG_IS_SEEN_S)
        try:
            client.deregister_scalable_target(**VARIANTS_SCALE, ResourceId=target["ResourceId"])
        except client.exceptions.ObjectNotFoundException:
            _LOG.info("scaling was gone already", extra={"target": target["ResourceId"]})


def _claim(client: Any, target: Mapping[str, Any], owner: str) -> bool:
    """Give a target the tag where somebody registered it by hand, or before there was one; whether it had to be."""
    arn = target["ScalableTargetARN"]
    carries = client.list_tags_for_resource(ResourceARN=arn).get("Tags", {}).get(OWNER_TAG)
    if carries == owner:
        return False
    try:
        client.tag_resource(ResourceARN=arn, Tags={OWNER_TAG: owner})
    except client.exceptions.ClientError as refused:
        if refused.response["Error"]["Code"] != "AccessDeniedException":
            raise  # such as throttling, after which it is tried again
        raise NotOurTarget(
            f"the scalable target of {target['ResourceId']} must carry the tag {OWNER_TAG}={owner}, got "
            f"{carries or 'none'}, and it was refused here ({refused}); if it is ours: aws application-autoscaling "
            f"tag-resource --resource-arn {arn} --tags {OWNER_TAG}={owner}"
        ) from refused
    return True

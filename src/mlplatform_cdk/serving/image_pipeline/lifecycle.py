"""Which images go, in ECR's own words, for repositories of ours and for those that ECR makes."""

import json
from typing import Any

from constructs import IConstruct

from mlplatform_cdk.core import ConfigurationError, told

# A push that was interrupted leaves an image without a tag.
_DAYS_UNTAGGED = 1


def lifecycle_policy(scope: IConstruct, kept_images: int) -> str:
    """Keep the ``kept_images`` newest images; those without a tag go after a day.

    A signature is no image of its own here: ECR removes it with what it signs.

    :param scope: for the error.
    :param kept_images: how many; ECR takes positive integers only:
        https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
    :raises ConfigurationError: when it is none.
    """
    if not (isinstance(kept_images, int) and kept_images > 0):
        raise ConfigurationError(
            scope, f"kept_images must be a whole number of at least 1, got {told(kept_images)}; leave it out for 20"
        )
    rules: list[dict[str, Any]] = [
        {
            "rulePriority": 1,
            "description": "What was never tagged",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": _DAYS_UNTAGGED,
            },
            "action": {"type": "expire"},
        },
        {
            "rulePriority": 2,
            "description": f"All but the newest {kept_images}",
            "selection": {
                "tagStatus": "tagged",
                "tagPatternList": ["*"],
                "countType": "imageCountMoreThan",
                "countNumber": kept_images,
            },
            "action": {"type": "expire"},
        },
    ]
    return json.dumps({"rules": rules}, separators=(",", ":"))

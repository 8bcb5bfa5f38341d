"""Whether ECR signed an image: it does so after the push, which succeeds whatever becomes of it."""

import time

from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.errors import KnownError

_POLL_S = 5.0
_LONGEST_S = 180.0
_DO = "see to its reason, delete the image in ECR, and deploy again: ECR signs what is pushed, and nothing later"


class SigningError(KnownError):
    """The image is there without its signature."""


def wait(repository_uri: str, tag: str, *, seconds_left: float) -> None:
    """Return when the image has the signature of each profile that signs it.

    Here and not in the build: whether the command line in CodeBuild's image knows this call cannot be tested.

    :param repository_uri: ``<registry>/<repository>``.
    :param tag: of the image.
    :param seconds_left: how long this may take; at most three minutes are waited.
    :raises SigningError: when a signature failed, or did not come in time.
    """
    ecr, name = aws.client("ecr"), repository_uri.partition("/")[2]
    end = time.monotonic() + min(seconds_left, _LONGEST_S)
    while True:
        found = ecr.describe_image_signing_status(repositoryName=name, imageId={"imageTag": tag})["signingStatuses"]
        for one in found:
            if one["status"] == "FAILED":
                why = f"{one.get('failureCode', 'no code')}, {one.get('failureReason', 'no reason')}"
                raise SigningError(f"{name}:{tag} must be signed, got FAILED ({why}); {_DO}")
        if found and all(one["status"] == "COMPLETE" for one in found):
            return
        if time.monotonic() >= end:
            got = [one["status"] for one in found] or "no status"
            raise SigningError(f"{name}:{tag} must be signed within three minutes, got {got}; {_DO}")
        time.sleep(_POLL_S)

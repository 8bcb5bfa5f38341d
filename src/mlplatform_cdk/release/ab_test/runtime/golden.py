"""A challenger answers the golden requests of its manifest before a caller may meet it."""

import hashlib
import json

from mlplatform_cdk.release.ab_test.runtime.errors import TestFailed
from mlplatform_cdk.release.ab_test.runtime.preparation import Challenger
from mlplatform_cdk.runtimekit import aws, own_requests, s3
from mlplatform_cdk.runtimekit.manifest import Manifest

_JSON = "application/json"


def try_out(endpoint: str, challenger: Challenger) -> int:
    """How many golden requests ``challenger`` answered, all of them as expected.

    :raises TestFailed: naming every problem.
    """
    content = s3.read_bytes(challenger.manifest_uri)
    if hashlib.sha256(content).hexdigest() != challenger.manifest_sha256:
        raise TestFailed(f"the manifest at {challenger.manifest_uri} must be the one that was registered")
    manifest = Manifest.from_json(content)
    problems: list[str] = []
    for golden in manifest.golden_requests:
        answer = aws.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint,
            TargetVariant=challenger.variant,
            ContentType=_JSON,
            Accept=_JSON,
            Body=json.dumps(golden.body()).encode(),
            InferenceId=own_requests.new_id(),
        )
        problems += golden.check(json.loads(answer["Body"].read()))
    if problems:
        raise TestFailed(f"{challenger.variant} ({challenger.version}): {'; '.join(problems)}")
    return len(manifest.golden_requests)

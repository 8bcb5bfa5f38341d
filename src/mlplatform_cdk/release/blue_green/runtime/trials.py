"""Asks green, and green alone, the golden requests of its manifest."""

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseFailed
from mlplatform_cdk.release.blue_green.runtime.golden import Trial, verdict
from mlplatform_cdk.runtimekit import aws, own_requests, s3
from mlplatform_cdk.runtimekit.manifest import GoldenRequest, Manifest

_JSON = "application/json"
# SageMaker gives a container 60 seconds; a step has five minutes, in which a green that hangs must have failed by name.
_PATIENCE_S, _ATTEMPTS, _LONGEST_S = 65, 2, 120.0


def try_green(endpoint_name: str, variant: str, *, manifest_uri: str, manifest_sha256: str) -> dict[str, Any]:
    """The record of green's tests.

    :param endpoint_name: the endpoint.
    :param variant: green; whatever its weight, each request names it.
    :param manifest_uri: the manifest of the version.
    :param manifest_sha256: its digest, as it was registered.
    :raises ReleaseFailed: naming every problem, or the first request that got no answer at all.
    """
    manifest = read_manifest(manifest_uri, manifest_sha256)
    deadline = time.monotonic() + _LONGEST_S
    _ask(endpoint_name, variant, manifest.golden_requests[0])  # the first one pays for what is made lazily
    trials: list[Trial] = []
    for golden in manifest.golden_requests:
        if time.monotonic() > deadline:
            asked = len(manifest.golden_requests)
            message = f"green must answer its {asked} golden requests in {_LONGEST_S:.0f} s, and answered {len(trials)}"
            raise ReleaseFailed(message)
        trials.append(_ask(endpoint_name, variant, golden))
    return dict(verdict(trials, budget_ms=manifest.latency_budget_ms))


def budget_ms(manifest: Mapping[str, str]) -> float:
    """The latency budget of a version.

    :param manifest: its ``uri`` and ``sha256``.
    """
    return read_manifest(manifest["uri"], manifest["sha256"]).latency_budget_ms


def read_manifest(uri: str, sha256: str) -> Manifest:
    """The manifest at ``uri``, which must be the one that was registered with this digest."""
    content = s3.read_bytes(uri)
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        message = f"the manifest at {uri} must be the one that was registered ({sha256[:12]}…), got {digest[:12]}…"
        raise ReleaseFailed(message)
    return Manifest.from_json(content)


def _ask(endpoint_name: str, variant: str, golden: GoldenRequest) -> Trial:
    from botocore.exceptions import ReadTimeoutError  # an asset must boot without boto3

    runtime = aws.client("sagemaker-runtime", patience_s=_PATIENCE_S, attempts=_ATTEMPTS)
    body = json.dumps(golden.body()).encode()
    begin = time.perf_counter()
    try:
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint_name,
            TargetVariant=variant,
            ContentType=_JSON,
            Accept=_JSON,
            Body=body,
            InferenceId=own_requests.new_id(),
        )
        content = answer["Body"].read()
    except runtime.exceptions.ClientError as error:
        problem = f"{golden.name}: green must answer, got {error.response['Error']['Message']}"
        return Trial(name=golden.name, problems=(problem,), latency_ms=_since(begin))
    except ReadTimeoutError:
        raise ReleaseFailed(f"{golden.name}: green must answer, got no answer in {_PATIENCE_S} s") from None
    latency_ms = _since(begin)
    asked = answer.get("InvokedProductionVariant", variant)
    if asked != variant:
        problem = f"{golden.name}: variant {variant} must answer, got an answer of {asked}"
        return Trial(name=golden.name, problems=(problem,), latency_ms=latency_ms)
    return Trial(name=golden.name, problems=_problems(golden, content), latency_ms=latency_ms)


def _problems(golden: GoldenRequest, content: bytes) -> list[str]:
    try:
        return golden.check(json.loads(content))
    except (ValueError, ArithmeticError, RecursionError):  # such as a number that no float holds
        return [f"{golden.name}: the answer must be JSON, got {content[:80]!r}"]


def _since(begin: float) -> float:
    return (time.perf_counter() - begin) * 1000

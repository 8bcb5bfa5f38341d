"""Asks one variant by name, many requests at once, and keeps what came back or why nothing did."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

from mlplatform_cdk.runtimekit import own_requests

CONCURRENCY = 8
_JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request to an endpoint.

    :param body: as it is sent.
    :param content_type: of the body; default: JSON.
    :param accept: of the answer; default: JSON.
    """

    body: bytes
    content_type: str = _JSON
    accept: str = _JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back.

    :param body: the model's answer; None where there was none.
    :param content_type: of the body.
    :param problem: why there is no answer.
    :param is_refusal: whether the model said that the request is the one at fault (4xx).
    :param latency_ms: from here and back, in milliseconds.
    """

    latency_ms: float
    body: bytes | None = None
    content_type: str = ""
    problem: str = ""
    is_refusal: bool = False


def ask(endpoint: str, variant: str, question: Question) -> Answer:
    """One answer of one variant, whatever its weight; a failure is not tried again, since it is what is looked for."""
    from botocore.exceptions import BotoCoreError, ClientError  # an asset must boot without boto3

    begin = time.perf_counter()
    try:
        answer = _client().invoke_endpoint(
            EndpointName=endpoint,
            TargetVariant=variant,
            ContentType=question.content_type,
            Accept=question.accept,
            Body=question.body,
            InferenceId=own_requests.new_id(),
        )
        body: bytes = answer["Body"].read()
    except ClientError as error:
        status = error.response.get("OriginalStatusCode") or error.response["ResponseMetadata"]["HTTPStatusCode"]
        refused = 400 <= int(status) < 500  # noqa: PLR2004 - HTTP's own bounds
        return Answer(problem=error.response["Error"]["Message"], is_refusal=refused, latency_ms=_since(begin))
    except BotoCoreError as error:
        return Answer(problem=str(error), latency_ms=_since(begin))
    return Answer(body=body, content_type=answer.get("ContentType") or "", latency_ms=_since(begin))


def ask_all(
    endpoint: str, variant: str, questions: Iterable[Question], *, concurrency: int = CONCURRENCY
) -> Iterator[Answer]:
    """The answers in the order of the questions, ``concurrency`` of which are under way at any time."""
    with ThreadPoolExecutor(concurrency) as pool:
        yield from pool.map(lambda question: ask(endpoint, variant, question), questions)


@cache
def _client() -> Any:
    import boto3  # an asset must boot without boto3
    from botocore.config import Config

    once = {"mode": "standard", "total_max_attempts": 1}
    return boto3.client(
        "sagemaker-runtime",
        config=Config(connect_timeout=5, read_timeout=70, retries=once, max_pool_connections=2 * CONCURRENCY),
    )


def _since(begin: float) -> float:
    return (time.perf_counter() - begin) * 1000

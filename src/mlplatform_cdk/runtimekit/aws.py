"""One place that makes boto3 clients: cached, with standard retries, and imported only when one is needed."""

from functools import cache
from http import HTTPStatus
from typing import Any

# What services call it when calls come too fast; boto3 has tried again by itself before one of these is raised.
_THROTTLING = {
    "ConcurrentUpdateException",  # application auto scaling's, while it changes the same target
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
# What SageMaker's messages say of what does not exist.
_ABSENT = ("Could not find", "does not exist", "not found")


@cache
def client(
    service: str,
    *,
    region: str | None = None,
    endpoint_url: str | None = None,
    patience_s: int = 60,
    connect_s: int = 5,
    attempts: int = 5,
) -> Any:
    """The boto3 client of ``service``, such as ``client("sagemaker")``.

    :param service: boto3's name of the service.
    :param region: where it is asked; default: the environment's.
    :param endpoint_url: at which address; default: the environment's, or else AWS's own.
    :param patience_s: how long an answer may take, in seconds, before it is asked for again; default: 60.
    :param connect_s: how long a connection may take, in seconds; default: 5.
    :param attempts: how often it is asked at most; default: 5.
    """
    import boto3  # an asset must boot without boto3
    from botocore.config import Config

    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        config=Config(
            connect_timeout=min(connect_s, patience_s),
            read_timeout=patience_s,
            retries={"mode": "standard", "total_max_attempts": attempts},
        ),
    )


def is_throttling(error: Exception) -> bool:
    """True when ``error`` is boto3's of a call that came too fast, and may succeed later."""
    response: Any = getattr(error, "response", None)
    return isinstance(response, dict) and response.get("Error", {}).get("Code") in _THROTTLING


def is_fault(error: Exception) -> bool:
    """True when ``error`` is boto3's of a fault of the service's or of the network, and the call may succeed later."""
    from botocore.exceptions import ConnectionError as NoConnection  # an asset must boot without boto3
    from botocore.exceptions import HTTPClientError

    response: Any = getattr(error, "response", None)
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) if isinstance(response, dict) else 0
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or isinstance(error, NoConnection | HTTPClientError)


def found_in_sagemaker(operation: str, **name: str) -> dict[str, Any] | None:
    """What SageMaker says of ``name``, or None where it does not exist.

    :param operation: such as ``describe_endpoint``.
    """
    sagemaker = client("sagemaker")
    try:
        answer: dict[str, Any] = getattr(sagemaker, operation)(**name)
    except sagemaker.exceptions.ClientError as error:
        if is_absent(error):
            return None
        raise
    return answer


def is_absent(error: Any) -> bool:
    """True when ``error`` is SageMaker's of what does not exist, for which it has no error of its own.

    :param error: a boto3 ``ClientError``.
    """
    detail = error.response["Error"]
    known = detail["Code"] in {"ValidationException", "ResourceNotFound"}
    return known and any(words in detail["Message"] for words in _ABSENT)

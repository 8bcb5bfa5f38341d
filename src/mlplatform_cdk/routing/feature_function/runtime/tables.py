"""DynamoDB, asked so that a slow table becomes an answer: the function's 28 s would be over before boto3's patience."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mlplatform_cdk.routing.feature_function.runtime.reply import Refused
from mlplatform_cdk.runtimekit import aws

_PATIENCE_S, _ATTEMPTS = 1, 2
# Of one call: two attempts, each with a second to connect and one to answer, and up to a second between them
# (botocore/retries/standard.py).
LONGEST_S = 5.0
_AWAY = 503


def dynamodb() -> Any:
    """The client, which gives up within ``LONGEST_S``."""
    return aws.client("dynamodb", patience_s=_PATIENCE_S, attempts=_ATTEMPTS)


@contextmanager
def heard(what: str) -> Iterator[None]:
    """Tell whoever waits of a table that is slow or busy.

    :param what: what the table holds.
    :raises Refused: with 503, in place of boto3's errors of that kind.
    """
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 - an asset must boot without

    try:
        yield
    except (ConnectionError, HTTPClientError) as error:
        raise Refused(_AWAY, f"the table of {what} did not answer in time", Retry_After="1") from error
    except ClientError as error:
        if not aws.is_throttling(error):
            raise
        raise Refused(_AWAY, f"the table of {what} is too busy", Retry_After="1") from error

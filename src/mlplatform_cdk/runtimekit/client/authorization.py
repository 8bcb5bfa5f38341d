"""How a request proves who sends it: signed by AWS credentials, with an API's key, or with a bearer token."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from mlplatform_cdk.runtimekit.client.wire import Request
from mlplatform_cdk.runtimekit.errors import KnownError

_SERVICE = "execute-api"  # API Gateway's name in a signature


class NoCredentials(KnownError):
    """There is nothing to sign with."""


class Authorization(Protocol):
    """What proves the sender."""

    def headers(self, request: Request, region: str) -> Mapping[str, str]:
        """All headers of ``request`` to ``region``, with the proof."""


class Iam:
    """Signs each attempt for its region (Signature Version 4, service ``execute-api``).

    Credentials that expire are renewed before they do, by botocore.

    :param credentials: botocore's, as ``boto3.Session(...).get_credentials()`` gives them; default: those that boto3
        finds at the first call.
    """

    def __init__(self, credentials: Any = None) -> None:
        self._credentials = credentials

    def headers(self, request: Request, region: str) -> Mapping[str, str]:
        """Sign ``request``.

        :raises NoCredentials: when boto3 finds none, or cannot renew them.
        """
        from botocore.auth import SigV4Auth  # an asset must boot without boto3
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

        try:
            credentials = self._found().get_frozen_credentials()
        except BotoCoreError as failure:
            raise NoCredentials(f"signing needs AWS credentials, which could not be read: {failure}") from failure
        signed = AWSRequest(method="POST", url=request.url, data=request.body, headers=dict(request.headers))
        SigV4Auth(credentials, _SERVICE, region).add_auth(signed)
        return dict(signed.headers.items())

    def _found(self) -> Any:
        if self._credentials is None:
            import boto3

            self._credentials = boto3.Session().get_credentials()
        if self._credentials is None:
            raise NoCredentials(
                "signing needs AWS credentials, and boto3 found none; give the process a role or a profile, "
                "or pass ApiKey(...) or BearerToken(...) as authorization"
            )
        return self._credentials


class ApiKey:
    """Sends an API's key; the same in each region, or one for each.

    :param key: the key, or region to key.
    """

    def __init__(self, key: str | Mapping[str, str]) -> None:
        self._key = key

    def headers(self, request: Request, region: str) -> Mapping[str, str]:
        """Add the key of ``region``.

        :raises NoCredentials: when there is none for it.
        """
        key = self._key if isinstance(self._key, str) else self._key.get(region)
        if not key:
            raise NoCredentials(f"an API key is needed for each region, and there is none for {region}")
        return {**request.headers, "x-api-key": key}

    def __repr__(self) -> str:
        """Keep the key out of logs."""
        return "ApiKey(…)"


class BearerToken:
    """Sends a token, such as a JWT.

    :param token: the token, or what returns the one that holds now; it is called for each attempt.
    """

    def __init__(self, token: str | Callable[[], str]) -> None:
        self._token = token

    def headers(self, request: Request, region: str) -> Mapping[str, str]:  # noqa: ARG002 -- one for all regions
        """Add the token."""
        token = self._token if isinstance(self._token, str) else self._token()
        return {**request.headers, "Authorization": f"Bearer {token}"}

    def __repr__(self) -> str:
        """Keep the token out of logs."""
        return "BearerToken(…)"


class Unsigned:
    """Proves nothing: the network alone decides who may ask, as behind an internal load balancer."""

    def headers(self, request: Request, region: str) -> Mapping[str, str]:  # noqa: ARG002 -- nothing to sign for
        """The headers as they are."""
        return request.headers

"""A model that several regions serve, as its callers see it: one object that answers while any region does.

Standard library; botocore where requests are signed.
"""

from mlplatform_cdk.runtimekit.client.answers import Answer, Attempt, CallFailed, CallRefused
from mlplatform_cdk.runtimekit.client.authorization import (
    ApiKey,
    Authorization,
    BearerToken,
    Iam,
    NoCredentials,
    Unsigned,
)
from mlplatform_cdk.runtimekit.client.client import RegionClient, regional_urls
from mlplatform_cdk.runtimekit.client.policy import Breaking, Hedging, Limits, Retries, Watching
from mlplatform_cdk.runtimekit.client.regions import RegionStatus

__all__ = [
    "Answer",
    "ApiKey",
    "Attempt",
    "Authorization",
    "BearerToken",
    "Breaking",
    "CallFailed",
    "CallRefused",
    "Hedging",
    "Iam",
    "Limits",
    "NoCredentials",
    "RegionClient",
    "RegionStatus",
    "Retries",
    "Unsigned",
    "Watching",
    "regional_urls",
]

"""Where the platform tells people what happened, and what needs them."""

from collections.abc import Sequence

import aws_cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import ConfigurationError


class Notifications(sns.Topic):
    """An encrypted topic that takes messages over TLS only.

    :param key: encrypts the messages.
    :param emails: who gets each message, once they have confirmed; default: nobody yet.
    """

    def __init__(self, scope: Construct, id: str, *, key: kms.IKey, emails: Sequence[str] = ()) -> None:
        super().__init__(scope, id, master_key=key, enforce_ssl=True)
        if isinstance(emails, str):
            raise ConfigurationError(self, f"emails must be a list, got {emails!r}; try [{emails!r}]")
        for email in emails:
            self.add_subscription(aws_cdk.aws_sns_subscriptions.EmailSubscription(email))

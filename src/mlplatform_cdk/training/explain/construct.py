"""The function that explains a failed run."""

from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import PlatformFunction

RUNTIME = "mlplatform_cdk.training.explain.runtime"


class ExplainFunction(PlatformFunction):
    """Answers a caught error with the name of the step and one sentence.

    :param key: encrypts the settings and logs.
    """

    def __init__(self, scope: Construct, id: str, *, key: kms.IKey) -> None:
        super().__init__(
            scope, id, package=RUNTIME, description="Says in one sentence why a retraining failed", key=key
        )

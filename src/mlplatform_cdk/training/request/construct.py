"""The function that reads what a run is asked to do."""

import json
from collections.abc import Mapping

from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import PlatformFunction

RUNTIME = "mlplatform_cdk.training.request.runtime"


class RequestFunction(PlatformFunction):
    """Answers ``{"run_id", "input"}`` with ``{"dataset_uri", "hyperparameters"}``, or refuses the input.

    :param dataset_uri: where the pipeline's data set lies.
    :param hyperparameters: the pipeline's own.
    :param key: encrypts the settings and logs.
    """

    def __init__(
        self, scope: Construct, id: str, *, dataset_uri: str, hyperparameters: Mapping[str, str], key: kms.IKey
    ) -> None:
        super().__init__(
            scope,
            id,
            package=RUNTIME,
            description="Reads what a retraining is asked to do",
            environment={
                "DATASET_URI": dataset_uri,
                "HYPERPARAMETERS": json.dumps(dict(hyperparameters), sort_keys=True),
            },
            key=key,
        )

"""SageMaker endpoints as real server processes whose variants take traffic by weight; moto's answer canned text.

Models and configurations are kept whole, an endpoint is InService once every variant's ``/ping`` answers 200, updates
start the new fleet beside the old one, and a failed update leaves the old one in service without a word, as AWS does.
Not honoured, and said so when asked for: inference pipelines (several containers), asynchronous inference. One process
stands for all instances of a variant.
"""

from __future__ import annotations

from mlplatform_cdk.local.adapters.endpoints import api, configs, invocations, models

__all__ = ["install"]


def install() -> None:
    """Take over models, endpoint configurations, endpoints and their invocations."""
    models.install()
    configs.install()
    api.install()
    invocations.install()

"""A stack with the ground that endpoints stand on."""

from dataclasses import dataclass

import pytest
from aws_cdk import App, Environment
from aws_cdk import aws_kms as kms

from mlplatform_cdk.foundation import ArtifactStore, Keys, PlatformStack


@dataclass(frozen=True)
class Ground:
    """What every endpoint needs."""

    stack: PlatformStack
    key: kms.Key
    artifacts: ArtifactStore


@pytest.fixture
def ground() -> Ground:
    stack = PlatformStack(App(), "Serving", env=Environment(account="123456789012", region="eu-west-1"))
    key = Keys(stack, "Keys").data
    return Ground(stack, key, ArtifactStore(stack, "Artifacts", key=key))

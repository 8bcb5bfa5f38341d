"""A stack with one endpoint and its releases in it, and what the assertions read from it."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Environment
from aws_cdk.assertions import Template

from mlplatform_cdk.foundation import ArtifactStore, Keys, Notifications, PlatformStack
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.release.gates import Gates
from mlplatform_cdk.runtimekit.release_strategy import Strategy
from mlplatform_cdk.serving import ReleasedEndpoint
from tests.contracts.rendering import machines

Build = Callable[..., "Built"]


class Built:
    """A synthesized release."""

    def __init__(
        self,
        *,
        notify: bool = True,
        kind: type[BlueGreenRelease] = BlueGreenRelease,
        strategy: Strategy | None = None,
        gates: Gates | None = None,
        **arguments: Any,
    ) -> None:
        self.stack = PlatformStack(App(), "Serving", env=Environment(account="123456789012", region="eu-west-1"))
        key = Keys(self.stack, "Keys").data
        artifacts = ArtifactStore(self.stack, "Artifacts", key=key)
        self.endpoint = ReleasedEndpoint(
            self.stack, "Endpoint", endpoint_name="dev-churn", artifacts=artifacts, key=key, **arguments
        )
        self.release = kind(
            self.stack,
            "Release",
            endpoint=self.endpoint,
            registry=ModelRegistry.from_group_name(self.stack, "Registry", "churn"),
            artifacts=artifacts,
            strategy=strategy,
            gates=gates,
            notifications=Notifications(self.stack, "Topic", key=key) if notify else None,
        )
        self.template = Template.from_stack(self.stack)
        ((self.machine, self.definition),) = machines(self.template.to_json()).items()

    def state(self, name: str) -> dict[str, Any]:
        state: dict[str, Any] = self.definition["States"][name]
        return state

    def asked(self, name: str) -> dict[str, Any]:
        """The parameters of the call that the function makes in a state."""
        parameters: dict[str, Any] = self.state(name)["Parameters"]["Payload"]["parameters"]
        return parameters


@pytest.fixture(scope="session")
def build() -> Build:
    """Build a release with these arguments; the plain one is built once."""
    plain: list[Built] = []

    def make(**arguments: Any) -> Built:
        if arguments:
            return Built(**arguments)
        if not plain:
            plain.append(Built())
        return plain[0]

    return make

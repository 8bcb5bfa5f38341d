"""An endpoint that takes each approved version of a model: beside the live one, tested, switched, or back."""

from aws_cdk import App, Stack

from mlplatform_cdk.foundation import ArtifactStore, Keys
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.serving import ReleasedEndpoint

app = App()
stack = Stack(app, "Churn")
key = Keys(stack, "Keys").data
artifacts = ArtifactStore(stack, "Artifacts", key=key)
registry = ModelRegistry(stack, "Models", model_package_group_name="churn")
endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name="churn", artifacts=artifacts, key=key)
BlueGreenRelease(stack, "Release", endpoint=endpoint, registry=registry, artifacts=artifacts)
app.synth()

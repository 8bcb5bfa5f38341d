"""An endpoint whose releases ask a person at half of the traffic: by mail with a link, and by buttons in Slack."""

from datetime import timedelta

from aws_cdk import App, Stack

from mlplatform_cdk.foundation import ArtifactStore, Keys, Notifications
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease, Gate, Strategy
from mlplatform_cdk.release.gates import ChatButtons, Gates, SignedLinks, SlackChannel
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.serving import ReleasedEndpoint

app = App()
stack = Stack(app, "Churn")
key = Keys(stack, "Keys").data
artifacts = ArtifactStore(stack, "Artifacts", key=key)
registry = ModelRegistry(stack, "Models", model_package_group_name="churn")
endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name="churn", artifacts=artifacts, key=key)
people = Notifications(stack, "People", key=key, emails=["ml-on-call@example.com"])
records = ReleaseRecords(stack, "Records", key=key)
links = SignedLinks(stack, "Links", endpoint_name="churn", records=records, key=key)
channel = SlackChannel(workspace_id="T0123ABCD", channel_id="C0123ABCD")
chat = ChatButtons(stack, "Chat", endpoint_name="churn", records=records, key=key, channel=channel)
gates = Gates(
    stack,
    "Gates",
    endpoint_name="churn",
    records=records,
    key=key,
    notifications=people,
    links=links,
    chat=chat,
)
BlueGreenRelease(
    stack,
    "Release",
    endpoint=endpoint,
    registry=registry,
    artifacts=artifacts,
    strategy=Strategy.linear(first=5, by=15, gates=(Gate(50, timedelta(hours=4)),)),
    records=records,
    gates=gates,
    notifications=people,
)
app.synth()

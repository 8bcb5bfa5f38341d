"""An endpoint of the template: a canary of half the fleet takes each new model, and an alarm takes it back."""

from datetime import timedelta

from aws_cdk import App, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions

from mlplatform_cdk.foundation import ArtifactStore, Keys, Notifications
from mlplatform_cdk.serving import (
    DataCapture,
    DeploymentGuardrails,
    EndpointModel,
    EndpointVariant,
    RealtimeEndpoint,
    ScalingRange,
)

app = App()
stack = Stack(app, "Churn")
key = Keys(stack, "Keys").data
artifacts = ArtifactStore(stack, "Artifacts", key=key)
endpoint = RealtimeEndpoint(
    stack,
    "Endpoint",
    endpoint_name="churn",
    variants=[
        EndpointVariant(
            model=EndpointModel.from_archive("runs/2026-11-22/model.tar.gz"), scaling=ScalingRange(minimum=2, maximum=4)
        )
    ],
    artifacts=artifacts,
    key=key,
    capture=DataCapture(percentage=10),
    guardrails=DeploymentGuardrails.canary(50, observe=timedelta(minutes=5), bake=timedelta(minutes=10)),
)
errors = cloudwatch.Alarm(
    stack,
    "Errors",
    alarm_description="The endpoint fails; a deployment goes back by itself, else deploy the model before",
    metric=endpoint.metric_server_errors(),
    threshold=1,
    evaluation_periods=1,
    treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
)
errors.add_alarm_action(actions.SnsAction(Notifications(stack, "Topic", key=key)))
endpoint.roll_back_on(errors)
app.synth()

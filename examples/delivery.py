"""The pipeline that deploys every environment in turn, and itself first.

Once, by hand, with credentials of its account: ``npx aws-cdk@2 deploy --app 'python delivery.py' MlPlatform-Delivery``.
"""

from collections.abc import Callable

from aws_cdk import App, Stage
from constructs import Construct

from mlplatform_cdk.delivery import ConnectionSource, Delivery, DeliveryPipeline
from mlplatform_cdk.foundation import PlatformStack
from stacks.environments import DEV, PROD, STAGING, PlatformEnvironment
from stacks.stage import PlatformStage

# A connection is made in the console, under Developer Tools, Settings, Connections; a person has to confirm it there.
SOURCE = ConnectionSource(
    connection_arn="arn:aws:codeconnections:us-east-1:123456789012:connection/00000000-0000-0000-0000-000000000000",
    owner="my-company",
    repository="my-platform",
)


def stage_of(environment: PlatformEnvironment) -> Callable[[Construct], Stage]:
    """What makes the stage of ``environment``, under the name that ``app.py`` gives it."""
    return lambda app: PlatformStage(app, f"MlPlatform-{environment.name.capitalize()}", environment=environment)


app = App()
DeliveryPipeline(
    PlatformStack(app, "MlPlatform-Delivery", env=DEV.aws),
    "Pipeline",
    source=SOURCE,
    deliveries=[
        Delivery(stage=stage_of(DEV)),
        Delivery(stage=stage_of(STAGING), gate="Dev retrained and released a model after this change"),
        Delivery(stage=stage_of(PROD), gate="Staging served a day without an alarm"),
    ],
)
app.synth()

"""A version goes from staging to production, region by region, at office hours, with a yes before production."""

from datetime import date, time, timedelta

from aws_cdk import App, Environment

from mlplatform_cdk.foundation import ArtifactStore, Keys, Notifications, PlatformStack
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.release.train import Freeze, FreezeCalendar, ReleaseTrain, Stop, TrainStation, Wave
from mlplatform_cdk.serving import ReleasedEndpoint, ServingImage

HOME, PRODUCTION, EXTERNAL_ID = "111111111111", "222222222222", "churn-train/5d41402a"


def stop(name: str, account: str, region: str) -> Stop:
    """An endpoint that the train goes to."""
    return Stop(name=name, account=account, region=region, endpoint_name=f"{name}-churn", external_id=EXTERNAL_ID)


STAGING, EUROPE, AMERICA = (
    stop("staging", HOME, "eu-west-1"),
    stop("prod-eu", PRODUCTION, "eu-west-1"),
    stop("prod-us", PRODUCTION, "us-east-1"),
)

app = App()
home = PlatformStack(app, "Home", env=Environment(account=HOME, region="eu-west-1"))
key = Keys(home, "Keys").data
ReleaseTrain(
    home,
    "Train",
    waves=[
        Wave(name="staging", stops=[STAGING]),
        Wave(name="europe", stops=[EUROPE], approval=timedelta(hours=8)),
        Wave(name="america", stops=[AMERICA]),
    ],
    registry=ModelRegistry(home, "Models", model_package_group_name="churn"),
    artifacts=ArtifactStore(home, "Artifacts", key=key),
    image=ServingImage(home, "ServingImage"),
    records=ReleaseRecords(home, "Records", key=key),
    key=key,
    calendar=FreezeCalendar(
        time_zone="Europe/Zurich",
        weekdays=("monday", "tuesday", "wednesday", "thursday"),
        opens=time(9),
        closes=time(16),
        freezes=(Freeze(date(2026, 12, 21), date(2027, 1, 3), "end of the year"),),
    ),
    notifications=Notifications(home, "Topic", key=key),
)

for one in (STAGING, EUROPE, AMERICA):
    stack = PlatformStack(app, one.name, env=Environment(account=one.account, region=one.region))
    its_key = Keys(stack, "Keys").data
    artifacts = ArtifactStore(stack, "Artifacts", key=its_key)
    registry = ModelRegistry(stack, "Models", model_package_group_name=f"{one.name}-churn")
    endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name=one.endpoint_name, artifacts=artifacts, key=its_key)
    release = BlueGreenRelease(
        stack,
        "Release",
        endpoint=endpoint,
        registry=registry,
        artifacts=artifacts,
        notifications=Notifications(stack, "Topic", key=its_key),
    )
    TrainStation(
        stack,
        "Station",
        endpoint=endpoint,
        release=release,
        registry=registry,
        artifacts=artifacts,
        train_account=HOME,
        external_id=EXTERNAL_ID,
    )
app.synth()

"""What callers of one region reach, and what says whether they should."""

from datetime import timedelta

from constructs import Construct

from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.resilience import RegionAlarm
from mlplatform_cdk.routing import HealthProbe, MultiRegionEndpoint, RegionalApi, VerdictTable
from mlplatform_cdk.serving import ReleasedEndpoint
from stacks.published import Published

# From the first region to the last; a region's own release takes a day and some hours, most of it to bake.
_TRAIN_TAKES = timedelta(days=7)


class Front(Construct):
    """The region's API before ``endpoint``, the probe that judges it, and one message for all that it finds."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: MultiRegionEndpoint,
        endpoint: ReleasedEndpoint,
        registry: ModelRegistry,
        below: Published,
    ) -> None:
        super().__init__(scope, id)
        self.verdicts = VerdictTable(self, "Verdicts", key=below.key)
        api = RegionalApi(self, "Api", plan=plan, endpoint=endpoint, verdicts=self.verdicts, key=below.key)
        self.probe = HealthProbe(
            self,
            "Probe",
            plan=plan,
            endpoint=endpoint,
            api=api,
            verdicts=self.verdicts,
            artifacts=below.artifacts,
            key=below.key,
            registry=registry,
            release_takes=_TRAIN_TAKES,
        )
        alarms = self.probe.alarms
        RegionAlarm(
            self,
            "Alarm",
            plan=plan,
            alarms=[alarms.out_of_service, alarms.nothing_right, alarms.wrong_everywhere, alarms.versions_differ],
            notifications=below.notifications,
        )

"""What callers of one region reach, and what says whether they should."""

from constructs import Construct

from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.resilience import RegionAlarm
from mlplatform_cdk.routing import HealthProbe, MultiRegionEndpoint, RegionalApi, VerdictTable
from mlplatform_cdk.serving import ReleasedEndpoint
from stacks.published import Published


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
        )
        alarms = self.probe.alarms
        RegionAlarm(
            self,
            "Alarm",
            plan=plan,
            alarms=[
                alarms.out_of_service,
                alarms.nothing_right,
                alarms.wrong_everywhere,
                alarms.versions_differ,
                alarms.alone,
            ],
            notifications=below.notifications,
        )

"""What callers of one region reach, and what says whether they should."""

from constructs import Construct

from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.resilience import RegionAlarm
from mlplatform_cdk.routing import Firewall, HealthProbe, MultiRegionEndpoint, RegionalApi, Throttle, VerdictTable
from mlplatform_cdk.serving import ReleasedEndpoint
from stacks.published import Published

_WINDOW_S = 300  # of the web ACL's rate
_MOST_AT_ONCE = 5_000  # of an account in a region


class Front(Construct):
    """The region's API before ``endpoint``, the probe that judges it, and one message for all that it finds.

    :param requests_per_second: what the API takes, twice that at one moment, and all of it from one address: callers
        behind one gateway share theirs, and one region may be all they have.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: MultiRegionEndpoint,
        endpoint: ReleasedEndpoint,
        registry: ModelRegistry,
        below: Published,
        requests_per_second: int,
    ) -> None:
        super().__init__(scope, id)
        self.verdicts = VerdictTable(self, "Verdicts", key=below.key)
        api = RegionalApi(
            self,
            "Api",
            plan=plan,
            endpoint=endpoint,
            verdicts=self.verdicts,
            key=below.key,
            throttle=Throttle(rate=requests_per_second, burst=min(2 * requests_per_second, _MOST_AT_ONCE)),
            firewall=Firewall(rate=_WINDOW_S * requests_per_second),
        )
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

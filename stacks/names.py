"""The stack of the one name: it deploys last, and sees all regions without asking any of their stacks."""

from aws_cdk import Environment, RemovalPolicy
from constructs import Construct

from mlplatform_cdk.foundation import Keys, Notifications, PlatformStack
from mlplatform_cdk.resilience import AllRegionsAlarm, CrossRegionObservability
from mlplatform_cdk.resilience.runbooks import Runbooks
from mlplatform_cdk.routing import GlobalNames
from stacks import breast_cancer
from stacks.environments import PlatformEnvironment
from stacks.regions import ROUTE_53_METRICS, Regions


class NamesStack(PlatformStack):
    """Records and health checks of all regions, and the one view over them."""

    def __init__(self, scope: Construct, id: str, *, environment: PlatformEnvironment, regions: Regions) -> None:
        super().__init__(scope, id, env=Environment(account=environment.account, region=regions.names_region))
        Runbooks.lead_elsewhere(self, endpoint_name=breast_cancer.endpoint_name(environment))
        plan = regions.endpoints
        names = GlobalNames(self, "Names", plan=plan)
        if regions.names_region != ROUTE_53_METRICS:
            return
        # It encrypts messages on their way: nothing is kept that somebody would want to read later.
        key = Keys(self, "Keys", removal_policy=RemovalPolicy.DESTROY).data
        AllRegionsAlarm(
            self,
            "Alarm",
            plan=plan,
            health_checks=names.health_checks,
            notifications=Notifications(self, "Notifications", key=key, emails=environment.emails),
        )
        CrossRegionObservability(
            self,
            "Observability",
            plan=plan,
            endpoints=breast_cancer.endpoint_name(environment),
            health_checks=names.health_checks,
        )

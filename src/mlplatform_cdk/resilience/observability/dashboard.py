"""One dashboard over all regions and accounts."""

from collections.abc import Mapping

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from mlplatform_cdk.core import ConfigurationError, account_of, partition_of, stack_of
from mlplatform_cdk.resilience.observability.board import Place, board
from mlplatform_cdk.routing.plan import MultiRegionEndpoint


class CrossRegionObservability(Construct):
    """One dashboard: each region's alarm, what its probe says, what Route 53 sees, and what its endpoint serves.

    It lives in one region and reads all of them. Regions of another account are read through the role that
    ``SharedWithMonitoring`` makes there, once per account: observability links (``ObservabilitySink``,
    ``ObservabilityLink``) reach within a region only.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Cross-Account-Methods.html

    It names everything by the plan, so that no region's stack is asked, and a region more changes only this.

    :param plan: the regions and their names.
    :param endpoints: the name of the endpoint by region, or one name for all; default: endpoints are not shown.
    :param health_checks: the ids of Route 53's checks by region, as ``GlobalNames.health_checks`` has them, where the
        names live in this stack's account; default: not shown.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: MultiRegionEndpoint,
        endpoints: Mapping[str, str] | str = "",
        health_checks: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, id)
        ours = account_of(self)
        by_region = dict.fromkeys(plan.targets, endpoints) if isinstance(endpoints, str) else dict(endpoints)
        checks = dict(health_checks or {})
        for name, given in (("endpoints", by_region), ("health_checks", checks)):
            if unknown := sorted({*given} - {*plan.targets}):
                regions = ", ".join(plan.targets)
                raise ConfigurationError(self, f"{name} must be of the plan's regions ({regions}), got {unknown[0]}")
        places = [
            Place(
                region=region,
                account=target.account or ours,
                endpoint=by_region.get(region, ""),
                health_check=checks.get(region, ""),
            )
            for region, target in plan.targets.items()
        ]
        #: A dashboard's name has no dots: ``models-example-com``.
        self.dashboard_name = plan.domain_name.replace(".", "-")
        shown = board(plan, places, names_account=ours, partition=partition_of(self))
        cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=self.dashboard_name,
            dashboard_body=stack_of(self).to_json_string(shown),
        )

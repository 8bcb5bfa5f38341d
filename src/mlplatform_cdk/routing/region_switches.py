"""Switches of regions that hold when a region's own control plane does not: Application Recovery Controller."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53recoverycontrol as recovery
from constructs import Construct

from mlplatform_cdk.core import grant, permission
from mlplatform_cdk.routing.plan import MultiRegionEndpoint

_NAME_LENGTH = 64  # https://docs.aws.amazon.com/recovery-cluster/latest/api/API_NewRoutingControl.html
_SETTLING_MS = 5_000


class RegionSwitches(Construct):
    """A routing control per region, in a panel of their own, and a rule that one of them stays on.

    Its cluster answers from five regions, so that a region can be switched off while it, or the names' own region, is
    lost. It costs by the hour, whether or not anybody switches: https://aws.amazon.com/application-recovery-controller/pricing/

    A new control is off. Switch all on once after the first deployment; until then Route 53 sees no region in service,
    and answers as if all were.

    Deploy it in us-west-2, where the service's configuration lives.
    Source: https://docs.aws.amazon.com/r53recovery/latest/dg/introduction-regions.html

    :param plan: the regions.
    """

    def __init__(self, scope: Construct, id: str, *, plan: MultiRegionEndpoint) -> None:
        super().__init__(scope, id)
        name = plan.domain_name.replace(".", "-")[:_NAME_LENGTH]
        self.cluster = recovery.CfnCluster(self, "Cluster", name=name)
        panel = recovery.CfnControlPanel(self, "Panel", name=name, cluster_arn=self.cluster.attr_cluster_arn)
        self._panel_arn = panel.attr_control_panel_arn
        #: The ARN of each region's routing control, as ``GlobalNames`` takes them.
        self.arns = {
            region: recovery.CfnRoutingControl(
                self,
                region,
                name=region,
                cluster_arn=self.cluster.attr_cluster_arn,
                control_panel_arn=panel.attr_control_panel_arn,
            ).attr_routing_control_arn
            for region in plan.targets
        }
        recovery.CfnSafetyRule(
            self,
            "OneStaysOn",
            name="one-stays-on",
            control_panel_arn=panel.attr_control_panel_arn,
            rule_config=recovery.CfnSafetyRule.RuleConfigProperty(type="ATLEAST", threshold=1, inverted=False),
            assertion_rule=recovery.CfnSafetyRule.AssertionRuleProperty(
                asserted_controls=[*self.arns.values()], wait_period_ms=_SETTLING_MS
            ),
        )

    def grant_switch(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee``, such as a team's role, set the switches by ``mlplatform region drain --switch``.

        The safety rule holds for it, too. It finds them where the names are: see ``GlobalNames.grant_status``.
        """
        config, cluster = "route53-recovery-control-config", "route53-recovery-cluster"
        states = [f"{cluster}:GetRoutingControlState", f"{cluster}:UpdateRoutingControlState"]
        grant(
            grantee,
            permission([f"{config}:DescribeControlPanel"], self._panel_arn),
            permission([f"{config}:DescribeCluster"], self.cluster.attr_cluster_arn),
            permission(states, *self.arns.values()),
        )

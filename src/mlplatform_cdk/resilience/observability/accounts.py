"""What lets one account see the metrics, alarms and logs of others: within a region by links, across regions by a role.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Cross-Account-Methods.html compares the two.
"""

import re
from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_oam as oam
from constructs import Construct

from mlplatform_cdk.core import Access, ConfigurationError, PlatformRole, allowed, is_known, partition_of, region_of

_ACCOUNT = re.compile(r"\d{12}")
_SINK = re.compile(r"arn:[a-z-]+:oam:(?P<region>[a-z0-9-]+):\d{12}:sink/[A-Za-z0-9-]+")
# Of CloudFormation's AWS::Oam::Link; the platform publishes nothing of the other kinds.
_SHARED = ("AWS::CloudWatch::Metric", "AWS::Logs::LogGroup", "AWS::XRay::Trace")

# Graphs and alarms, and no logs; CloudWatch knows no resource of a metric.
READS_METRICS = (
    "cloudwatch:DescribeAlarmHistory",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:DescribeAlarmsForMetric",
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:GetMetricWidgetImage",
    "cloudwatch:ListMetrics",
)
# The service-linked role of CloudWatch assumes a role of this name alone.
_SHARING_ROLE = "CloudWatch-CrossAccountSharingRole"


def reading_metrics() -> Access:
    """Graphs and alarms of an account."""
    return Access([allowed(READS_METRICS, "*")], patterns={"*": "CloudWatch knows no resources of metrics"})


class ObservabilitySink(Construct):
    """Where other accounts may link the metrics, logs and traces of this region to; one per account and region.

    Deploy it in the monitoring account, in each region that other accounts serve in.

    :param accounts: whose telemetry is let in.
    :param name: of the sink; default: ``mlplatform``.
    """

    def __init__(self, scope: Construct, id: str, *, accounts: Sequence[str], name: str = "mlplatform") -> None:
        super().__init__(scope, id)
        if not accounts or isinstance(accounts, str):
            raise ConfigurationError(self, f"accounts must list at least one account, got {accounts!r}")
        for account in accounts:
            _require_account(self, account)
        place = f"arn:{partition_of(self)}:iam::"
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": [f"{place}{account}:root" for account in accounts]},
                    "Action": ["oam:CreateLink", "oam:UpdateLink"],
                    "Resource": "*",
                    "Condition": {"ForAllValues:StringEquals": {"oam:ResourceTypes": [*_SHARED]}},
                }
            ],
        }
        #: Its ARN ends in an id that AWS makes: give it literally to ``ObservabilityLink``.
        self.sink_arn = oam.CfnSink(self, "Resource", name=name, policy=policy).attr_arn


class ObservabilityLink(Construct):
    """Shows this account's metrics, logs and traces of this region to the monitoring account.

    :param sink_arn: of the monitoring account's sink in this region, literally: ``aws oam list-sinks`` there says it.
    :param namespaces: of the metrics that are shared; default: all.
    """

    def __init__(self, scope: Construct, id: str, *, sink_arn: str, namespaces: Sequence[str] = ()) -> None:
        super().__init__(scope, id)
        found, region = _SINK.fullmatch(sink_arn), region_of(self)
        if is_known(sink_arn):
            if found is None:
                raise ConfigurationError(self, f"sink_arn must be like 'arn:aws:oam:…:sink/…', got {sink_arn!r}")
            if is_known(region) and found["region"] != region:
                raise ConfigurationError(self, f"a link reaches within its region {region}, got {sink_arn!r}")
        only = " OR ".join(f"Namespace = '{one}'" for one in namespaces)
        configuration = oam.CfnLink.LinkConfigurationProperty(
            metric_configuration=oam.CfnLink.LinkFilterProperty(filter=only)
        )
        oam.CfnLink(
            self,
            "Resource",
            sink_identifier=sink_arn,
            resource_types=[*_SHARED],
            label_template="$AccountName",
            link_configuration=configuration if only else None,
        )


class SharedWithMonitoring(Construct):
    """Lets the dashboard of another account show this account's graphs and alarms, of all regions.

    One per account, in the stack of any one region: the role's name is CloudWatch's, and can be there once. In the
    monitoring account CloudWatch needs its service-linked role:
    ``aws iam create-service-linked-role --aws-service-name cloudwatch-crossaccount.amazonaws.com``.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Cross-Account-Cross-Region.html

    :param account: the monitoring account.
    """

    def __init__(self, scope: Construct, id: str, *, account: str) -> None:
        super().__init__(scope, id)
        _require_account(self, account)
        self.role = PlatformRole(
            self,
            "Role",
            assumed_by=iam.AccountPrincipal(account),
            description="Lets the monitoring account see graphs and alarms",
            access=[reading_metrics()],
        )
        resource = self.role.node.default_child
        assert isinstance(resource, iam.CfnRole)
        resource.role_name = _SHARING_ROLE


def _require_account(scope: Construct, account: str) -> None:
    if is_known(account) and not _ACCOUNT.fullmatch(account):
        raise ConfigurationError(scope, f"an account must have 12 digits, got {account!r}")

"""A web ACL in front of the API: AWS's own rules, and a bound on what one address may ask."""

from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from mlplatform_cdk.core import arn_of
from mlplatform_cdk.core.functions import LOG_RETENTION

# https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html
_LEAST_RATE, _MOST_RATE = 10, 2_000_000_000
_WINDOW_SECONDS = 300

# These rules count, and the rest of their sets block. A model's input is data: text about HTML or paths is no attack on
# it, and tensors are larger than 8 KiB. And programs call, many of which name no agent; Python's http.client does not.
# https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
_COUNTED_OF_CORE = (
    "NoUserAgent_HEADER",
    "SizeRestrictions_BODY",
    "CrossSiteScripting_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
    "EC2MetaDataSSRF_BODY",
)
_COUNTED_OF_BAD_INPUTS = ("JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY")
_GROUPS = (
    ("AWSManagedRulesAmazonIpReputationList", ()),
    ("AWSManagedRulesCommonRuleSet", _COUNTED_OF_CORE),
    ("AWSManagedRulesKnownBadInputsRuleSet", _COUNTED_OF_BAD_INPUTS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Firewall:
    """AWS WAF's managed rules (reputation, core, known bad inputs) and a rate for each address.

    :param rate: requests of one address in five minutes, beyond which it is blocked, 10 to 2,000,000,000; servers
        behind one gateway share an address; None: no address is bounded; default: 30,000, which is all that the default
        ``Throttle`` takes.
    """

    rate: int | None = 30_000

    def __post_init__(self) -> None:
        """Refuse what WAF refuses."""
        if self.rate is not None and not _LEAST_RATE <= self.rate <= _MOST_RATE:
            raise ValueError(f"rate must lie in {_LEAST_RATE} to {_MOST_RATE} in five minutes, got {self.rate}")


THIRTY_THOUSAND = Firewall()


class WebAcl(Construct):
    """A regional web ACL on a stage or a load balancer, and the log of what it did not let through."""

    def __init__(self, scope: Construct, id: str, *, firewall: Firewall, guarded_arn: str, key: kms.IKey) -> None:
        super().__init__(scope, id)
        acl = wafv2.CfnWebACL(
            self,
            "Resource",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            description="Managed rules and a rate for each address, in front of the API of a model",
            visibility_config=_seen("WebAcl"),
            rules=[
                *(_managed(index, *group) for index, group in enumerate(_GROUPS)),
                *([] if firewall.rate is None else [_rate(len(_GROUPS), firewall.rate)]),
            ],
        )
        wafv2.CfnWebACLAssociation(self, "OnStage", resource_arn=guarded_arn, web_acl_arn=acl.attr_arn)
        # WAF writes to log groups of this prefix only:
        # https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"aws-waf-logs-{self.node.addr}",
            retention=LOG_RETENTION,
            removal_policy=RemovalPolicy.DESTROY,
            encryption_key=key,
        )
        self._keep_log(acl)

    def _keep_log(self, acl: wafv2.CfnWebACL) -> None:
        """Only what was blocked; the access log has the rest."""
        blocked = {"ActionCondition": {"Action": "BLOCK"}}
        wafv2.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=acl.attr_arn,
            log_destination_configs=[_without_streams(self.log_group)],
            logging_filter={
                "DefaultBehavior": "DROP",
                "Filters": [{"Behavior": "KEEP", "Conditions": [blocked], "Requirement": "MEETS_ANY"}],
            },
            redacted_fields=[
                wafv2.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": name})
                for name in ("authorization", "x-api-key")
            ],
        )


def _without_streams(group: logs.LogGroup) -> str:
    """The group's ARN as WAF takes it; CloudFormation's own ends in ``:*``."""
    return arn_of(group, "logs", f"log-group:{group.log_group_name}")


def _managed(priority: int, name: str, counted: tuple[str, ...]) -> wafv2.CfnWebACL.RuleProperty:
    count = wafv2.CfnWebACL.RuleActionProperty(count={})
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
        visibility_config=_seen(name),
        statement=wafv2.CfnWebACL.StatementProperty(
            managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS",
                name=name,
                rule_action_overrides=[
                    wafv2.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=count) for rule in counted
                ]
                or None,
            )
        ),
    )


def _rate(priority: int, rate: int) -> wafv2.CfnWebACL.RuleProperty:
    return wafv2.CfnWebACL.RuleProperty(
        name="RateOfOneAddress",
        priority=priority,
        action=wafv2.CfnWebACL.RuleActionProperty(
            block=wafv2.CfnWebACL.BlockActionProperty(
                custom_response=wafv2.CfnWebACL.CustomResponseProperty(response_code=429)
            )
        ),
        visibility_config=_seen("RateOfOneAddress"),
        statement=wafv2.CfnWebACL.StatementProperty(
            rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP", limit=rate, evaluation_window_sec=_WINDOW_SECONDS
            )
        ),
    )


def _seen(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )

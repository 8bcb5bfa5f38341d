"""Experiments of AWS FIS: what breaks, which alarms stop it, when, and where its report goes."""

import re
from collections.abc import Mapping, Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_fis as fis
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    ConfigurationError,
    PlatformRole,
    account_of,
    allowed,
    arn_of,
    reading,
    writing,
)
from mlplatform_cdk.resilience.chaos.ending import Drill, DrillsEnded
from mlplatform_cdk.resilience.chaos.fault import Fault, Injection
from mlplatform_cdk.resilience.chaos.hours import wrong_hours
from mlplatform_cdk.resilience.chaos.schedule import ExperimentSchedule
from mlplatform_cdk.resilience.chaos.told import ExperimentsTold

# https://docs.aws.amazon.com/fis/latest/userguide/fis-quotas.html
_MOST_ALARMS = 5
REPORTS = "chaos/"
_AROUND = "PT20M"
_PRODUCTION = {"live", "prd", "prod", "production"}

_Template = fis.CfnExperimentTemplate

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
_LOGGING = Access(
    [
        allowed(
            [
                "logs:CreateLogDelivery",
                "logs:DescribeLogGroups",
                "logs:DescribeResourcePolicies",
                "logs:PutResourcePolicy",
            ],
            "*",
        )
    ],
    patterns={"*": "deliveries of logs, and the policies that let them in, take no resource"},
)


class ChaosExperiments(Construct):
    """One experiment per fault, stopped by the alarms that stand for the callers, with log and report of each run kept.

    An experiment starts by hand (``aws fis start-experiment``), or by ``schedule``. While one of its alarms rings, none
    starts, and what runs is stopped and mended. AWS FIS needs its own role in the account, once:
    ``aws iam create-service-linked-role --aws-service-name fis.amazonaws.com``.

    :param faults: by the name of the experiment.
    :param stop_on: alarms of this region and account, on what callers see; an experiment takes 1 to 5 of them, namely
        those that its fault does not have to raise (``Fault.rings``).
    :param reports: a bucket that gets a report of each run that is not stopped, under ``chaos/``; nothing of ours
        deletes it. Its key encrypts the log of all runs, which is kept for two years, and stays when the stack goes.
    :param schedule: a cron expression of EventBridge Scheduler by the experiment's name, on working days from 8 to 15
        o'clock; default: by hand.
    :param timezone: of the schedule, such as ``Europe/Berlin``; default: UTC.
    :param dashboard: the name of one whose graphs the reports show, from 20 minutes before to 20 minutes after;
        default: none.
    :param notifications: where it is told that an experiment began and ended, and that one could not be mended;
        default: nowhere.
    :param in_production: whether callers depend on what breaks; must be said where the stage or the stack is called
        production; default: they do not.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        faults: Mapping[str, Fault],
        stop_on: Sequence[cloudwatch.IAlarm],
        reports: s3.IBucket,
        schedule: Mapping[str, str] | None = None,
        timezone: str = "UTC",
        dashboard: str = "",
        notifications: sns.ITopic | None = None,
        in_production: bool = False,
    ) -> None:
        super().__init__(scope, id)
        planned = dict(schedule or {})
        self._check(faults, planned, in_production=in_production)
        #: The faults by the names of their experiments.
        self.faults: Mapping[str, Fault] = {**faults}
        #: The alarms that stop each experiment.
        self.stopped_by = {name: self._stopping(name, fault, stop_on) for name, fault in faults.items()}
        self._reports, self._drills = reports, list[Drill]()
        self.log = logs.LogGroup(
            self,
            "Log",
            retention=logs.RetentionDays.TWO_YEARS,
            removal_policy=RemovalPolicy.RETAIN,
            encryption_key=reports.encryption_key,
        )
        self._dashboard = dashboard and arn_of(self, "cloudwatch", f"dashboard/{dashboard}", region="")
        # https://docs.aws.amazon.com/fis/latest/userguide/getting-started-iam-service-role.html
        runs = {"aws:SourceArn": arn_of(self, "fis", "experiment/*")}
        ours = {"aws:SourceAccount": account_of(self)}
        self._service = iam.ServicePrincipal("fis.amazonaws.com", conditions={"StringEquals": ours, "ArnLike": runs})
        #: The id of each experiment's template.
        self.template_ids = {name: self._define(name, fault) for name, fault in faults.items()}
        ending = DrillsEnded(self, "Ended", drills=self._drills, key=reports.encryption_key)
        for name, cron in planned.items():
            begins = ExperimentSchedule(
                self, f"{name}Schedule", name=name, template_id=self.template_ids[name], cron=cron, timezone=timezone
            )
            begins.node.add_dependency(ending.resource)  # nothing starts any more when they are ended
        if notifications is not None:
            templates = [*self.template_ids.values()]
            documents = [one.documents for one in self._drills if one.documents is not None]
            told = ExperimentsTold(self, "Told", templates=templates, documents=documents, topic=notifications)
            ending.resource.node.add_dependency(told)

    def _check(self, faults: Mapping[str, Fault], planned: Mapping[str, str], *, in_production: bool) -> None:
        if not faults:
            raise ConfigurationError(self, "faults must name at least one experiment, got none")
        if unknown := sorted({*planned} - {*faults}):
            raise ConfigurationError(self, f"schedule must be of {', '.join(faults)}, got {unknown[0]}")
        if wrong := next(filter(None, map(wrong_hours, planned.values())), ""):
            raise ConfigurationError(self, wrong)
        words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", self.node.path)}
        if (found := sorted(words & _PRODUCTION)) and not in_production:
            raise ConfigurationError(
                self,
                f"what breaks in a place called {found[0]!r} must be meant to, got in_production=False; "
                "try in_production=True, once every experiment has been run where no caller depends on it",
            )

    def _stopping(self, name: str, fault: Fault, stop_on: Sequence[cloudwatch.IAlarm]) -> Sequence[cloudwatch.IAlarm]:
        raised = {alarm.alarm_arn for alarm in fault.rings}
        stopping = [alarm for alarm in stop_on if alarm.alarm_arn not in raised]
        if stop_on and not stopping:
            raise ConfigurationError(
                self,
                f"stop_on must hold an alarm that {name} does not raise itself, got {len(stop_on)} that it does; "
                "try one that says that no other region is in service",
            )
        if not 0 < len(stopping) <= _MOST_ALARMS:
            raise ConfigurationError(
                self, f"stop_on must be 1 to {_MOST_ALARMS} alarms for {name}, got {len(stopping)}"
            )
        return stopping

    def _define(self, name: str, fault: Fault) -> str:
        own = Construct(self, name)
        injection = fault.define(own)
        role = self._role(own, name, fault, injection)
        template = _Template(
            own,
            "Template",
            description=fault.sentence,
            actions={"Break": injection.action},
            targets={**injection.targets},
            stop_conditions=[
                _Template.ExperimentTemplateStopConditionProperty(source="aws:cloudwatch:alarm", value=alarm.alarm_arn)
                for alarm in self.stopped_by[name]
            ],
            role_arn=role.role_arn,
            tags={"Name": name},
            experiment_options=_Template.ExperimentTemplateExperimentOptionsProperty(
                account_targeting="single-account", empty_target_resolution_mode="fail"
            ),
            experiment_report_configuration=self._report(name),
            log_configuration=_Template.ExperimentTemplateLogConfigurationProperty(
                log_schema_version=2,
                # CDK hands this one on as it is.
                cloud_watch_logs_configuration={"LogGroupArn": self.log.log_group_arn},
            ),
        )
        template.node.add_dependency(role.node.find_child("Permissions"))
        self._drills.append(Drill(template_id=template.attr_id, role=role, documents=injection.documents))
        return template.attr_id

    def _role(self, own: Construct, name: str, fault: Fault, injection: Injection) -> PlatformRole:
        prefix = f"{REPORTS}{name}/"
        return PlatformRole(
            own,
            "Role",
            assumed_by=self._service,
            description=f"{fault.sentence}, as an experiment",
            access=[
                *injection.access,
                _LOGGING,
                writing(self._reports, prefix=prefix),
                reading(self._reports, prefix=prefix),
                *([_showing(self._dashboard)] if self._dashboard else []),
            ],
        )

    def _report(self, name: str) -> fis.CfnExperimentTemplate.ExperimentTemplateExperimentReportConfigurationProperty:
        """Source: https://docs.aws.amazon.com/fis/latest/userguide/experiment-report-configuration.html."""
        shown = None
        if self._dashboard:
            one = _Template.CloudWatchDashboardProperty(dashboard_identifier=self._dashboard)
            shown = _Template.DataSourcesProperty(cloud_watch_dashboards=[one])
        return _Template.ExperimentTemplateExperimentReportConfigurationProperty(
            data_sources=shown,
            pre_experiment_duration=_AROUND if shown else None,
            post_experiment_duration=_AROUND if shown else None,
            outputs=_Template.OutputsProperty(
                experiment_report_s3_configuration=_Template.ExperimentReportS3ConfigurationProperty(
                    bucket_name=self._reports.bucket_name, prefix=f"{REPORTS}{name}"
                )
            ),
        )


def _showing(dashboard: str) -> Access:
    """The graphs of a report."""
    return Access(
        [
            allowed(["cloudwatch:GetDashboard"], dashboard),
            allowed(["cloudwatch:GetMetricWidgetImage"], "*"),
        ],
        patterns={"*": "GetMetricWidgetImage takes no resource"},
    )

"""Experiments of AWS FIS: what breaks, which alarms stop it, when, and where its report goes."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_fis as fis
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    ConfigurationError,
    PlatformRole,
    acknowledge,
    allowed,
    arn_of,
    dead_letters_of,
    partition_of,
    reading,
    service_principal,
    stack_of,
    writing,
)
from mlplatform_cdk.resilience.chaos.faults import Fault

# https://docs.aws.amazon.com/fis/latest/userguide/fis-quotas.html
_MOST_ALARMS = 5
_REPORTS = "chaos/"

_Template = fis.CfnExperimentTemplate


class ChaosExperiments(Construct):
    """One experiment per fault, stopped by the alarms that stand for the callers, with a report of each run kept.

    An experiment starts by hand (``aws fis start-experiment``), or by ``schedule``. While one of the alarms rings, none
    starts, and what runs is stopped and mended. AWS FIS needs its own role in the account, once:
    ``aws iam create-service-linked-role --aws-service-name fis.amazonaws.com``.

    :param faults: by the name of the experiment.
    :param stop_on: alarms of this region, 1 to 5, on what callers see; those that a fault must raise are not among
        them.
    :param reports: a bucket that gets a report of each run, under ``chaos/``.
    :param schedule: a cron expression of EventBridge Scheduler in UTC by the experiment's name; default: by hand.
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
    ) -> None:
        super().__init__(scope, id)
        planned = dict(schedule or {})
        if not faults:
            raise ConfigurationError(self, "faults must name at least one experiment, got none")
        if not 0 < len(stop_on) <= _MOST_ALARMS:
            raise ConfigurationError(self, f"stop_on must be 1 to {_MOST_ALARMS} alarms, got {len(stop_on)}")
        if unknown := sorted({*planned} - {*faults}):
            raise ConfigurationError(self, f"schedule must be of {', '.join(faults)}, got {unknown[0]}")
        #: The id of each experiment's template.
        self.template_ids = {name: self._define(name, fault, stop_on, reports) for name, fault in faults.items()}
        for name, cron in planned.items():
            self._define_schedule(name, cron)

    def _define(self, name: str, fault: Fault, stop_on: Sequence[cloudwatch.IAlarm], reports: s3.IBucket) -> str:
        own = Construct(self, name)
        injection = fault.define(own)
        prefix = f"{_REPORTS}{name}"
        role = PlatformRole(
            own,
            "Role",
            assumed_by=service_principal("fis.amazonaws.com"),
            description=f"{fault.sentence}, as an experiment",
            # https://docs.aws.amazon.com/fis/latest/userguide/experiment-report-configuration.html
            access=[*injection.access, writing(reports, prefix=f"{prefix}/"), reading(reports, prefix=f"{prefix}/")],
        )
        template = _Template(
            own,
            "Template",
            description=fault.sentence,
            actions={"Break": injection.action},
            targets={**injection.targets},
            stop_conditions=[
                _Template.ExperimentTemplateStopConditionProperty(source="aws:cloudwatch:alarm", value=alarm.alarm_arn)
                for alarm in stop_on
            ],
            role_arn=role.role_arn,
            tags={"Name": name},
            experiment_options=_Template.ExperimentTemplateExperimentOptionsProperty(
                account_targeting="single-account", empty_target_resolution_mode="fail"
            ),
            experiment_report_configuration=_Template.ExperimentTemplateExperimentReportConfigurationProperty(
                outputs=_Template.OutputsProperty(
                    experiment_report_s3_configuration=_Template.ExperimentReportS3ConfigurationProperty(
                        bucket_name=reports.bucket_name, prefix=prefix
                    )
                )
            ),
        )
        template.node.add_dependency(role.node.find_child("Permissions"))
        return template.attr_id

    def _define_schedule(self, name: str, cron: str) -> None:
        """Start the experiment by EventBridge Scheduler.

        Source: https://docs.aws.amazon.com/fis/latest/userguide/getting-started.html
        """
        own = Construct(self, f"{name}Schedule")
        template, runs = self.template_ids[name], arn_of(own, "fis", "experiment/*")
        dead = dead_letters_of(own)
        acknowledge(dead, {"AwsSolutions-SQS3": "it is one; the rule does not look at schedules"})
        role = PlatformRole(
            own,
            "Role",
            assumed_by=service_principal("scheduler.amazonaws.com"),
            description=f"Starts the experiment {name}",
            access=[
                Access(
                    [
                        allowed(["fis:StartExperiment"], arn_of(own, "fis", f"experiment-template/{template}"), runs),
                        allowed(["sqs:SendMessage"], dead.queue_arn),
                    ],
                    patterns={runs: "an experiment's id comes with it"},
                )
            ],
        )
        scheduler.CfnSchedule(
            own,
            "Schedule",
            description=f"The experiment {name}",
            schedule_expression=cron,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=f"arn:{partition_of(own)}:scheduler:::aws-sdk:fis:startExperiment",
                role_arn=role.role_arn,
                input=stack_of(own).to_json_string(
                    {"ExperimentTemplateId": template, "ClientToken": "<aws.scheduler.execution-id>"}
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead.queue_arn),
                # What could not start at its time shall not at another.
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(maximum_retry_attempts=0),
            ),
        )

"""Starts an experiment at its hour, once: what could not start then shall not at another."""

from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    PlatformRole,
    acknowledge,
    allowed,
    arn_of,
    dead_letters_of,
    partition_of,
    service_principal,
    stack_of,
)


class ExperimentSchedule(Construct):
    """Starts one experiment by EventBridge Scheduler.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html

    :param name: the experiment's.
    :param template_id: of its template.
    :param cron: when.
    :param timezone: whose time that is.
    """

    def __init__(self, scope: Construct, id: str, *, name: str, template_id: str, cron: str, timezone: str) -> None:
        super().__init__(scope, id)
        runs = arn_of(self, "fis", "experiment/*")
        dead = dead_letters_of(self)
        acknowledge(dead, {"AwsSolutions-SQS3": "it is one; the rule does not look at schedules"})
        template = arn_of(self, "fis", f"experiment-template/{template_id}")
        role = PlatformRole(
            self,
            "Role",
            assumed_by=service_principal("scheduler.amazonaws.com"),
            description=f"Starts the experiment {name}",
            access=[
                Access(
                    [
                        allowed(["fis:StartExperiment"], template, runs),
                        allowed(["sqs:SendMessage"], dead.queue_arn),
                    ],
                    patterns={runs: "an experiment's id comes with it"},
                )
            ],
        )
        scheduler.CfnSchedule(
            self,
            "Schedule",
            description=f"The experiment {name}",
            schedule_expression=cron,
            schedule_expression_timezone=timezone,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=f"arn:{partition_of(self)}:scheduler:::aws-sdk:fis:startExperiment",
                role_arn=role.role_arn,
                input=stack_of(self).to_json_string(
                    {"ExperimentTemplateId": template_id, "ClientToken": "<aws.scheduler.execution-id>"}
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead.queue_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(maximum_retry_attempts=0),
            ),
        )

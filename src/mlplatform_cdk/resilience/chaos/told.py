"""Tells people that something is broken on purpose, how that ended, and that it may be broken still."""

from collections.abc import Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import acknowledge, dead_letters_of
from mlplatform_cdk.resilience.chaos.fault import Documents

_FIELD = events.EventField.from_path
_UNMENDED = ["Cancelled", "Failed", "TimedOut"]


class ExperimentsTold(Construct):
    """Rules on the events of AWS FIS and of Systems Manager.

    Sources: https://docs.aws.amazon.com/fis/latest/userguide/monitoring-eventbridge.html and
    https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-eventbridge-events.html

    :param templates: the ids of the experiments' templates.
    :param documents: those that break and mend.
    :param topic: where it is told; a topic of another stack must let EventBridge in itself.
    """

    def __init__(
        self, scope: Construct, id: str, *, templates: Sequence[str], documents: Sequence[Documents], topic: sns.ITopic
    ) -> None:
        super().__init__(scope, id)
        self._dead = dead_letters_of(self)
        acknowledge(self._dead, {"AwsSolutions-SQS3": "it is one; the rule does not look at EventBridge's targets"})
        state = _FIELD("$.detail.new-state.status")
        self._define(
            "Experiment",
            events.EventPattern(
                source=["aws.fis"],
                detail_type=["FIS Experiment State Change"],
                detail={
                    "experiment-template-id": [*templates],
                    "new-state": {"status": ["running", "completed", "stopped", "failed"]},
                },
            ),
            "An experiment changes its state",
            f"{_FIELD('$.region')}: the experiment {_FIELD('$.detail.experiment-id')} (template "
            f"{_FIELD('$.detail.experiment-template-id')}) is {state}: {_FIELD('$.detail.new-state.reason')}",
            topic,
        )
        if documents:
            # Where it could not even start the one that mends, such as where that one's role is gone.
            self._define(
                "Broken",
                _ended_badly([one.breaks.name for one in documents]),
                "What broke something did not end by itself",
                f"{_FIELD('$.region')}: the execution {_FIELD('$.detail.ExecutionId')} of "
                f"{_FIELD('$.detail.Definition')}, which breaks something, ended as {_FIELD('$.detail.Status')}. If "
                "its step Break has begun, its step Mend must have succeeded, which starts what mends it: look at "
                "both, and start that document with what the step Look says, if it was not",
                topic,
            )
            self._define(
                "Unmended",
                _ended_badly([one.mends.name for one in documents]),
                "What an experiment broke may be broken still",
                f"{_FIELD('$.region')}: what an experiment broke may be broken still. The execution "
                f"{_FIELD('$.detail.ExecutionId')} of {_FIELD('$.detail.Definition')} ended as "
                f"{_FIELD('$.detail.Status')}: start that document again with the same parameters",
                topic,
            )

    def _define(self, id: str, pattern: events.EventPattern, description: str, text: str, topic: sns.ITopic) -> None:
        events.Rule(
            self,
            id,
            description=description,
            event_pattern=pattern,
            targets=[
                targets.SnsTopic(topic, dead_letter_queue=self._dead, message=events.RuleTargetInput.from_text(text))
            ],
        )


def _ended_badly(documents: Sequence[str]) -> events.EventPattern:
    return events.EventPattern(
        source=["aws.ssm"],
        detail_type=["EC2 Automation Execution Status-change Notification"],
        detail={"Definition": [*documents], "Status": _UNMENDED},
    )

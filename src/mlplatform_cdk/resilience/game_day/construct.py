"""A game day: the plan of a drill, written from the app's own experiments, alarms and regions, and what runs it."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core import Access, ConfigurationError, allowed, arn_of, give, region_of, writing
from mlplatform_cdk.resilience.automation import Automation, ask_api, document, run_script, wait_for
from mlplatform_cdk.resilience.chaos import ChaosExperiments, Fault
from mlplatform_cdk.resilience.game_day.arithmetic import HELD, back_s, expected, name_of, shifted_s
from mlplatform_cdk.resilience.game_day.page import Drill, page
from mlplatform_cdk.routing.plan import MultiRegionEndpoint

_SCRIPT = Path(__file__).parent / "runtime" / "judging.py"
_MINUTE = timedelta(minutes=1)
_SHORT_REST = timedelta(minutes=10)
_ENDING = timedelta(minutes=30)  # an experiment's mending and its report
_MOST = 6  # a working day, and what a document holds: 64 KB
_EXECUTION = "{{ automation:EXECUTION_ID }}"
_ENDED = ["completed", "stopped", "failed", "cancelled"]


class GameDay(Construct):
    """The drill, documented: who, what is steady, what breaks, what must ring within how many seconds, when to stop.

    ``markdown`` is the plan, rendered from the experiments, their alarms and the regions' settings; no sentence of it
    is written by hand, so that it changes with them. The same plan describes a document of Systems Manager, which
    anybody who was given ``grant_start`` runs: it refuses to begin unless all alarms are OK, keeps the plan, starts
    one experiment after the other, holds what rang, and when, against what was said, and leaves a page of each under
    ``game-days/`` in the bucket. It stops at the first experiment that is refuted. Whoever cancels it stops the
    experiment that runs.

    :param experiments: which break things.
    :param plan: the regions; the stack's is one of them.
    :param reports: a bucket that keeps the plan and the pages; nothing of ours deletes them.
    :param led_by: who leads, and may say stop, as people call them.
    :param order: the experiments' names; default: all, those that nothing must notice first.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        experiments: ChaosExperiments,
        plan: MultiRegionEndpoint,
        reports: s3.IBucket,
        led_by: str,
        order: Sequence[str] | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._experiments, self._plan, self._reports = experiments, plan, reports
        self._prefix = f"game-days/{id}/"
        faults = experiments.faults
        names = [*order] if order is not None else sorted(faults, key=lambda name: bool(faults[name].rings))
        self._check(names, led_by)
        #: The plan of the day, for people.
        self.markdown = page(
            title=id,
            plan=plan,
            region=region_of(self),
            led_by=led_by,
            drills=[self._drill(name, faults[name]) for name in names],
            back_s=back_s(plan),
            kept_in=self._prefix,
        )
        self.automation = Automation(
            self,
            "Automation",
            content=lambda role: document(self._steps(names), description=self.markdown, role=role),
            sentence=f"Runs the game day {id}",
            access=self._access(names),
        )

    def grant_start(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee``, such as a team's role, run the day, follow it and cancel it."""
        give(grantee, self.automation.starting(watches=True))

    def _check(self, names: Sequence[str], led_by: str) -> None:
        faults = self._experiments.faults
        if not led_by.strip():
            raise ConfigurationError(self, "led_by must name who may say stop, got nobody")
        if region_of(self) not in self._plan.targets:
            regions = ", ".join(self._plan.targets)
            raise ConfigurationError(self, f"the stack must be in one of the plan's regions ({regions})")
        if not 0 < len(names) <= _MOST or len({*names}) < len(names) or not {*names} <= {*faults}:
            known, got = ", ".join(faults), ", ".join(names) or "none"
            raise ConfigurationError(
                self, f"order must name 1 to {_MOST} experiments among {known}, once each, got {got}"
            )
        for name in names:
            for one in expected(faults[name], self._plan):
                if timedelta(seconds=one.within_s) > faults[name].lasts:
                    raise ConfigurationError(
                        self,
                        f"{name} must last for {one.within_s} s at least, so that {one.name} can ring, "
                        f"got {faults[name].lasts}",
                    )

    def _drill(self, name: str, fault: Fault) -> Drill:
        return Drill(
            name=name,
            does=fault.sentence,
            minutes=fault.lasts // _MINUTE,
            rings={one.name: one.within_s for one in expected(fault, self._plan)},
            stops=[name_of(alarm) for alarm in self._experiments.stopped_by[name]],
            shifted_s=shifted_s(fault, self._plan),
            pause_min=_rest(fault) // _MINUTE,
        )

    def _steps(self, names: Sequence[str]) -> list[Any]:
        watched = {alarm.alarm_arn: alarm for name in names for alarm in self._alarms(name)}
        alarms = "\n".join(alarm.alarm_name for alarm in watched.values())
        steps = [self._script("Begin", "begin", Alarms=alarms, Plan=self.markdown)]
        for number, name in enumerate(names, start=1):
            steps += self._run(number, name, self._experiments.faults[name])
        steps[-1] = {**steps[-1], "isEnd": True}
        return [*steps, *(_stop(number) for number in range(1, len(names) + 1))]

    def _run(self, number: int, name: str, fault: Fault) -> list[Any]:
        made = f"{{{{ Start{number}.Id }}}}"
        starts = {
            "experimentTemplateId": self._experiments.template_ids[name],
            "clientToken": f"{_EXECUTION}-{name}",
            "tags": {"GameDay": _EXECUTION},
        }
        within = int((fault.lasts + _ENDING).total_seconds())
        stops = {"onCancel": f"step:Stop{number}", "onFailure": f"step:Stop{number}"}
        rings = "\n".join(f"{one.within_s} {one.alarm.alarm_name}" for one in expected(fault, self._plan))
        quiet = "\n".join(alarm.alarm_name for alarm in self._experiments.stopped_by[name])
        return [
            ask_api(
                f"Start{number}",
                "fis",
                "StartExperiment",
                starts,
                outputs={"Id": ("$.experiment.id", "String")},
                onFailure="Abort",
            ),
            wait_for(
                f"Watch{number}",
                "fis",
                "GetExperiment",
                {"id": made},
                path="$.experiment.state.status",
                values=_ENDED,
                within_s=within,
                **stops,
            ),
            {
                "name": f"Rest{number}",
                "action": "aws:sleep",
                "inputs": {"Duration": f"PT{_rest(fault) // _MINUTE}M"},
            },
            self._script(f"Judge{number}", "judge", Name=name, Experiment=made, Rings=rings, Quiet=quiet),
        ]

    def _script(self, step: str, handler: str, **payload: str) -> Any:
        place = {"Bucket": self._reports.bucket_name, "Prefix": self._prefix, "Execution": _EXECUTION}
        return run_script(step, _SCRIPT, handler, {**payload, **place}, onFailure="Abort")

    def _alarms(self, name: str) -> list[cloudwatch.IAlarm]:
        return [*self._experiments.faults[name].rings, *self._experiments.stopped_by[name]]

    def _access(self, names: Sequence[str]) -> list[Access]:
        runs = arn_of(self, "fis", "experiment/*")
        ids = [self._experiments.template_ids[name] for name in names]
        templates = [arn_of(self, "fis", f"experiment-template/{one}") for one in ids]
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
        return [
            Access(
                [
                    allowed(["fis:StartExperiment", "fis:TagResource"], *templates, runs),
                    allowed(["fis:GetExperiment", "fis:StopExperiment"], runs),
                    allowed(["cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms"], "*"),
                ],
                patterns={
                    runs: "an experiment's id comes with it",
                    "*": "CloudWatch tells of composite alarms only those who may look at all alarms",
                },
            ),
            writing(self._reports, prefix=self._prefix, lists=False),
        ]


def _rest(fault: Fault) -> timedelta:
    """What a region needs after it left, so that it is not held for leaving twice."""
    return HELD if fault.rings else _SHORT_REST


def _stop(number: int) -> Any:
    return ask_api(f"Stop{number}", "fis", "StopExperiment", {"id": f"{{{{ Start{number}.Id }}}}"}, isEnd=True)

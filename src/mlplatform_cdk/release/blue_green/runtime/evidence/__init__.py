"""What decides in a release: the measurements of green and blue, read and judged."""

from mlplatform_cdk.release.blue_green.runtime.evidence.asking import Question
from mlplatform_cdk.release.blue_green.runtime.evidence.captured import captured_questions
from mlplatform_cdk.release.blue_green.runtime.evidence.judge import FALSE_ALARMS, Verdict, judge, rungs
from mlplatform_cdk.release.blue_green.runtime.evidence.reader import PERIOD_S, Machine, alarms_in_alarm, read_windows
from mlplatform_cdk.release.blue_green.runtime.evidence.replay import Replay, replay
from mlplatform_cdk.release.blue_green.runtime.evidence.warm_up import Load, warm_up
from mlplatform_cdk.release.blue_green.runtime.evidence.windows import Period, Window

__all__ = [
    "FALSE_ALARMS",
    "PERIOD_S",
    "Load",
    "Machine",
    "Period",
    "Question",
    "Replay",
    "Verdict",
    "Window",
    "alarms_in_alarm",
    "captured_questions",
    "judge",
    "read_windows",
    "replay",
    "rungs",
    "warm_up",
]

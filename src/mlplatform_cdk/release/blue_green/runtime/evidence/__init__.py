"""What decides in a release: the measurements of green and blue, read and judged."""

from mlplatform_cdk.release.blue_green.runtime.evidence.judge import FALSE_ALARMS, Verdict, judge, rungs
from mlplatform_cdk.release.blue_green.runtime.evidence.reader import PERIOD_S, Machine, alarms_in_alarm, read_windows
from mlplatform_cdk.release.blue_green.runtime.evidence.windows import Period, Window

__all__ = [
    "FALSE_ALARMS",
    "PERIOD_S",
    "Machine",
    "Period",
    "Verdict",
    "Window",
    "alarms_in_alarm",
    "judge",
    "read_windows",
    "rungs",
]

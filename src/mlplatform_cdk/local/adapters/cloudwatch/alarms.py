"""Alarms that watch: evaluated over and over, by metrics, by metric math and by other alarms."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse

from mlplatform_cdk.local.adapters.cloudwatch import actions, history
from mlplatform_cdk.local.adapters.cloudwatch.composite import BrokenRule, holds
from mlplatform_cdk.local.adapters.cloudwatch.evaluation import INSUFFICIENT, Judgement, judge, period_end

if TYPE_CHECKING:
    from collections.abc import Iterator

TICK_SECONDS = 0.2
AGAIN_SECONDS, LATE_SECONDS = 1.0, 5.0  # data may come late, and not later than that
_LOGGER = logging.getLogger(__name__)

_put = CloudWatchBackend.put_metric_alarm
_delete = CloudWatchBackend.delete_alarms
_update = Alarm.update_state


class _Watch:
    """Evaluates every alarm when a period of it ends, and for a few seconds again, for as long as there are alarms."""

    def __init__(self) -> None:
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None
        self._seen: dict[str, tuple[Alarm, float, float]] = {}  # the alarm, its period's end, when it was looked at

    def begin(self) -> None:
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="alarms", daemon=True)
                self._thread.start()

    def _watch(self) -> None:
        while True:
            time.sleep(TICK_SECONDS)
            for backend, alarm in _all():
                try:
                    self._look(backend, alarm)
                except Exception:
                    _LOGGER.exception("alarm %s", alarm.name)

    def _look(self, backend: CloudWatchBackend, alarm: Alarm) -> None:
        if alarm.rule is None:
            now = time.time()
            ended = period_end(alarm, now)
            if not self._is_due(alarm, ended, now):
                return
            self._seen[alarm.alarm_arn] = (alarm, ended, now)
            judgement = judge(alarm, ended)
        else:
            judgement = _composite(backend, alarm, alarm.rule)
        if judgement.state is not None and judgement.state != alarm.state_value:
            alarm.update_state(judgement.reason, json.dumps(judgement.data), judgement.state)

    def _is_due(self, alarm: Alarm, ended: float, now: float) -> bool:
        """Whether it is another alarm, or another period, or data of this one may have come since."""
        before, period, looked = self._seen.get(alarm.alarm_arn, (None, 0.0, 0.0))
        is_late = now - ended > LATE_SECONDS or now - looked < AGAIN_SECONDS
        return before is not alarm or period != ended or not is_late


_WATCH = _Watch()


def install() -> None:
    """Let alarms change their states, tell of it and act; composite alarms too, whose operation moto lacks."""
    CloudWatchBackend.put_metric_alarm = _put_and_watch
    CloudWatchBackend.delete_alarms = _delete_and_tell
    Alarm.update_state = _update_and_act
    CloudWatchResponse.put_composite_alarm = CloudWatchResponse.put_metric_alarm


def _put_and_watch(self: CloudWatchBackend, *arguments: Any, **named: Any) -> Alarm:
    """A new alarm has no state yet; a changed one keeps its own."""
    before = self.alarms.get(named.get("name", ""))
    alarm = _put(self, *arguments, **named)
    alarm.state_value = before.state_value if before else INSUFFICIENT
    if before:
        alarm.state_reason, alarm.state_reason_data = before.state_reason, before.state_reason_data
        alarm.state_updated_timestamp = before.state_updated_timestamp
    history.configured(alarm, "updated" if before else "created")
    _WATCH.begin()
    return alarm


def _delete_and_tell(self: CloudWatchBackend, alarm_names: list[str]) -> None:
    gone = [self.alarms[name] for name in alarm_names if name in self.alarms]
    _delete(self, alarm_names)
    for alarm in gone:
        history.configured(alarm, "deleted")


def _update_and_act(self: Alarm, reason: str, reason_data: str, state_value: str) -> None:
    """SetAlarmState comes here, too; only a change is told."""
    before = actions.State.of(self)
    _update(self, reason, reason_data, state_value)
    if before.value != state_value:
        history.changed_state(self, before, actions.State.of(self))
        actions.tell(self, before)


def _all() -> Iterator[tuple[CloudWatchBackend, Alarm]]:
    """Every alarm, those on other alarms last."""
    backends = [backend for regions in list(cloudwatch_backends.values()) for backend in list(regions.values())]
    alarms = [(backend, alarm) for backend in backends for alarm in list(backend.alarms.values())]
    yield from sorted(alarms, key=lambda one: one[1].rule is not None)


def _composite(backend: CloudWatchBackend, alarm: Alarm, rule: str) -> Judgement:
    def state_of(name: str) -> str | None:
        found = backend.alarms.get(name)
        return found.state_value if found else None

    try:
        state = "ALARM" if holds(rule, state_of) else "OK"
    except BrokenRule as error:
        return Judgement(state=INSUFFICIENT, reason=str(error))
    return Judgement(state=state, reason=f"{alarm.name} is {state} by its rule: {rule}")

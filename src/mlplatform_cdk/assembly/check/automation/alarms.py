"""Alarms that say nothing of what to do, in a stack whose runbooks the others name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlplatform_cdk.assembly.check.templates import Template
from mlplatform_cdk.assembly.findings import Finding, Severity

RULE = "alarm-without-runbook"
_ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
# As core/runbook_links writes it; whoever writes an own description names a document in the same words.
_NAMED = re.compile(r"\bRunbook: \S+")


def alarms(template: Template) -> Iterator[Finding]:
    """Alarms whose description names no runbook, where some alarm's does."""
    said = [
        (one, template.references.text(one.properties.get("AlarmDescription", "")))
        for one in template.of_type(*_ALARMS)
    ]
    if not any(_NAMED.search(text) for _, text in said):
        return
    for alarm, text in said:
        if _NAMED.search(text) is None:
            yield alarm.finding(
                RULE,
                Severity.WARNING,
                "the alarm names no runbook, and others of its stack do",
                property_path="AlarmDescription",
                reason="whom it wakes must find out what to do",
                way_out="give it one by Runbooks.link(alarm, ...), or write 'Runbook: <document>' into its description",
                tools=("mlplatform",),
            )

"""What alarms say is to be done, and whether that is there."""

import re
from collections.abc import Iterator

from mlplatform_cdk.runtimekit.runbook_names import Runbook
from tests.stacks.conftest import Platform

ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
# As core/runbook_links.py writes both: a document in the console, in its region or in whichever is meant; or the page.
DOCUMENT = re.compile(
    r"\. Runbook: (?P<name>[\w-]+), to [^:]+: https://(?:(?P<region>[\w-]+)\.)?console\.aws\.amazon\.com"
    r"/systems-manager/documents/(?P=name)/description(?:\?region=(?P=region))?"
)
# What an alarm over others says: the document, or the section, of each.
EACH = re.compile(r"\. (?:Runbook|What to do): (?P<each>.+), by the alarm that rings, docs/runbooks\.md#")
NAMED = re.compile(r"([\w-]+) \([\w, -]+\)")
SECTION = re.compile(r"\. What to do: .+, docs/runbooks\.md#(?P<section>[a-z-]+)")


def described(platform: Platform) -> Iterator[tuple[str, str]]:
    """Stack and logical id of each alarm, and what it says."""
    for stack in platform.stacks.values():
        for logical_id, alarm in stack.resources(*ALARMS):
            yield f"{stack.name}/{logical_id}", alarm["Properties"].get("AlarmDescription", "")


def documents(platform: Platform) -> set[tuple[str, str]]:
    """Region and name of each document of Systems Manager."""
    return {
        (stack.region, document["Properties"]["Name"])
        for stack in platform.stacks.values()
        for _, document in stack.resources("AWS::SSM::Document")
    }


def leads_nowhere(said: str, there: set[tuple[str, str]]) -> bool:
    """Where there are documents, an alarm names one of them, in its region; else a section of the page.

    One over others names one for each of them.
    """
    if each := EACH.search(said):
        known = {name for _, name in there} or {one.value for one in Runbook}
        return not {*NAMED.findall(each["each"])} <= known
    if there:
        found = DOCUMENT.search(said)
        named = found and (found["region"], found["name"])
        return named not in there | {(None, name) for _, name in there}
    section = SECTION.search(said)
    return not section or section["section"] not in {one.value for one in Runbook}

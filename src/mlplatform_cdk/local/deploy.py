"""Deploys a cloud assembly as it is to the embedded AWS, through CloudFormation's API."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.local.deployment_notes import read as read_notes
from mlplatform_cdk.local.publish import assume_bootstrapped, publish
from mlplatform_cdk.local.report import DeploymentEvent, DeploymentFailed, DeploymentReport, StackReport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlplatform_cdk.assembly import Assembly, Stack
    from mlplatform_cdk.local.settings import Settings

    Listener = Callable[[DeploymentEvent], None]

__all__ = ["DeploymentEvent", "DeploymentFailed", "DeploymentReport", "StackReport", "deploy", "destroy"]

PATIENCE_SECONDS = 900.0
POLL_SECONDS = 0.05
# A stack's events come all together, however many are known: asked for at each poll, they are half of a deployment.
NEWS_SECONDS = 0.5
_UNSUPPORTED = re.compile(r"the embedded AWS has no (.*)$")
_STUCK = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS"}


def deploy(
    assembly: Assembly,
    settings: Settings,
    *,
    on_event: Listener | None = None,
    parameters: Mapping[str, Mapping[str, str]] | None = None,
) -> DeploymentReport:
    """Create or update every stack of ``assembly``, each after those that it depends on.

    :param assembly: a stage, or a whole assembly.
    :param settings: the embedded AWS.
    :param on_event: told of every step; default: nobody.
    :param parameters: stack name to values of its template's parameters; default: the defaults.
    """
    started = time.monotonic()
    work = _Work(Administrator(settings), on_event)
    stacks = assembly.all_stacks()
    for region in sorted({stack.region or settings.region for stack in stacks}):
        assume_bootstrapped(work.administrator, region)
    work.report.image_notes.extend(publish(stacks, work.administrator))
    work.refuse_unsupported(stacks)
    for stack in stacks:
        work.bring_up(stack, (parameters or {}).get(stack.name, {}))
    work.report.seconds = round(time.monotonic() - started, 2)
    return work.report


def destroy(assembly: Assembly, settings: Settings, *, on_event: Listener | None = None) -> DeploymentReport:
    """Delete every stack of ``assembly``, each before those that it depends on; one that is not there is no error.

    :param assembly: a stage, or a whole assembly.
    :param settings: the embedded AWS.
    :param on_event: told of every step; default: nobody.
    """
    started = time.monotonic()
    work = _Work(Administrator(settings), on_event)
    for stack in reversed(assembly.all_stacks()):
        work.take_down(stack)
    work.report.seconds = round(time.monotonic() - started, 2)
    return work.report


@dataclass(slots=True)
class _Work:
    """One deployment."""

    administrator: Administrator
    listener: Listener | None
    report: DeploymentReport = field(default_factory=DeploymentReport)
    _seen: set[str] = field(default_factory=set)

    def refuse_unsupported(self, stacks: tuple[Stack, ...]) -> None:
        """Before anything is made: every type that the embedded AWS does not have, by name."""
        for stack in stacks:
            try:
                self._api(stack).validate_template(TemplateBody=_text(stack))
            except ClientError as error:
                problem = error.response["Error"]["Message"]
                match = _UNSUPPORTED.search(problem)
                if match is None:
                    raise DeploymentFailed(f"{stack.name}: {problem}", self.report) from None
                self.report.unsupported.extend(f"{stack.name}: {name}" for name in match.group(1).split(", "))
        if self.report.unsupported:
            raise DeploymentFailed(f"the embedded AWS has no {'; '.join(self.report.unsupported)}", self.report)

    def bring_up(self, stack: Stack, parameters: Mapping[str, str]) -> None:
        """Create or update one stack and wait."""
        started = time.monotonic()
        api = self._api(stack)
        standing = self._describe(stack)
        if standing is not None and standing["StackStatus"] in _STUCK:
            self.take_down(stack, is_reported=False)
            standing = None
        if standing is not None:
            self._know_events(stack)
        arguments = {
            "StackName": stack.name,
            "TemplateBody": _text(stack),
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in {**stack.parameters, **parameters}.items()
            ],
            "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
        action = "created" if standing is None else "updated"
        try:
            if standing is None:
                api.create_stack(**arguments, EnableTerminationProtection=stack.termination_protection)
            else:
                api.update_stack(**arguments)
        except ClientError as error:
            problem = error.response["Error"]["Message"]
            if "No updates are to be performed" not in problem:
                raise DeploymentFailed(f"{stack.name}: {problem}", self.report) from None
            action = "unchanged"
        final = self._wait(stack, stack.name)
        if final["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE", *_settled(action)}:
            raise DeploymentFailed(f"{stack.name}: {_reason(final)}", self.report)
        self._take_notes(stack)
        resources = api.describe_stack_resources(StackName=stack.name)["StackResources"]
        self.report.stacks.append(
            StackReport(
                name=stack.name,
                action=action,
                resources=len(resources),
                seconds=round(time.monotonic() - started, 2),
                outputs={output["OutputKey"]: output["OutputValue"] for output in final.get("Outputs", [])},
            )
        )

    def take_down(self, stack: Stack, *, is_reported: bool = True) -> None:
        """Delete one stack and wait."""
        standing = self._describe(stack)
        if standing is None:
            return
        started = time.monotonic()
        self._know_events(stack)
        try:
            self._api(stack).delete_stack(StackName=stack.name)
        except ClientError as error:
            raise DeploymentFailed(f"{stack.name}: {error.response['Error']['Message']}", self.report) from None
        final = self._wait(stack, standing["StackId"])
        if final["StackStatus"] != "DELETE_COMPLETE":
            raise DeploymentFailed(
                f"{stack.name}: {_reason(final)}{self._undeleted(stack, standing['StackId'])}", self.report
            )
        if is_reported:
            seconds = round(time.monotonic() - started, 2)
            self.report.stacks.append(StackReport(name=stack.name, action="deleted", resources=0, seconds=seconds))

    def _undeleted(self, stack: Stack, stack_id: str) -> str:
        """Why each resource that stays does; the stack's own reason only counts them."""
        reasons = {
            event["LogicalResourceId"]: event.get("ResourceStatusReason", "no reason given")
            for event in self._events(stack, stack_id)
            if event["ResourceStatus"] == "DELETE_FAILED" and event["PhysicalResourceId"] != stack_id
        }
        return "".join(f"; {resource}: {reason}" for resource, reason in reasons.items())

    def _api(self, stack: Stack) -> Any:
        return self.administrator.client("cloudformation", stack.region)

    def _describe(self, stack: Stack) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._api(stack).describe_stacks(StackName=stack.name)["Stacks"][0]
        except ClientError:
            return None
        return found

    def _wait(self, stack: Stack, name_or_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        next_news = 0.0
        while True:
            state: dict[str, Any] = self._api(stack).describe_stacks(StackName=name_or_id)["Stacks"][0]
            is_over = not state["StackStatus"].endswith("_IN_PROGRESS")
            if self.listener is not None and (is_over or time.monotonic() > next_news):
                self._tell_news(stack, state["StackId"], self.listener)
                next_news = time.monotonic() + NEWS_SECONDS
            if is_over:
                return state
            if time.monotonic() > deadline:
                raise DeploymentFailed(f"{stack.name} is still {state['StackStatus']}", self.report)
            time.sleep(POLL_SECONDS)

    def _events(self, stack: Stack, name_or_id: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self._api(stack).describe_stack_events(StackName=name_or_id)["StackEvents"]
        return events[::-1]

    def _know_events(self, stack: Stack) -> None:
        """What has happened before is no news."""
        if self.listener is not None:
            self._seen.update(event["EventId"] for event in self._events(stack, stack.name))

    def _tell_news(self, stack: Stack, stack_id: str, tell: Listener) -> None:
        for event in self._events(stack, stack_id):
            if event["EventId"] not in self._seen:
                self._seen.add(event["EventId"])
                tell(
                    DeploymentEvent(
                        stack=stack.name,
                        logical_id=event["LogicalResourceId"],
                        resource_type=event["ResourceType"],
                        status=event["ResourceStatus"],
                        reason=event.get("ResourceStatusReason", ""),
                    )
                )

    def _take_notes(self, stack: Stack) -> None:
        """What the latest event of each resource says about how far it is honoured."""
        latest = {
            (event["LogicalResourceId"], event["ResourceType"]): event.get("ResourceStatusReason", "")
            for event in self._events(stack, stack.name)
            if event["ResourceStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
        }
        for (logical_id, resource_type), reason in latest.items():
            why, ignored = read_notes(reason)
            if why:
                self.report.note_stand_in(resource_type, f"{stack.name}/{logical_id}", why)
            self.report.note_ignored(resource_type, f"{stack.name}/{logical_id}", ignored)


def _settled(action: str) -> set[str]:
    return {"UPDATE_ROLLBACK_COMPLETE"} if action == "unchanged" else set()


def _text(stack: Stack) -> str:
    return stack.template_file.read_text(encoding="utf-8")


def _reason(final: dict[str, Any]) -> str:
    return f"{final.get('StackStatusReason') or 'no reason given'} ({final['StackStatus']})"

"""What people and events do to an endpoint until a release gets to a certain state, and what must be true after it all.

A story runs until one of its executions stands before the state that a test wants; that one is stopped, and whatever
the deployed rules and functions do then is waited for.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

from tests.release.rehearsal.breakpoints import (
    BREAKPOINT,
    Definition,
    Halting,
    stopping_at,
    without_keys,
    without_people,
)
from tests.release.rehearsal.conftest import ENDPOINT, Rehearsal
from tests.release.rehearsal.reading import Reading

Story = Callable[["Walk", Definition | Halting], None]


@dataclass
class Walk(Reading):
    """One endpoint, its releases, and the definition that they have now.

    :param rehearsal: the deployed platform.
    :param deployed: the definition as it was deployed.
    :param original: that with gates that open by themselves.
    :param before: the version that served before a story's last release began; empty: there was no endpoint.
    :param came_up: whether the endpoint, if there is one, has ever been in service.
    """

    deployed: Definition
    original: Definition
    before: str = ""
    came_up: bool = True
    _used: Definition | None = None

    @classmethod
    def of(cls, rehearsal: Rehearsal) -> "Walk":
        states = rehearsal.aws.client("stepfunctions")
        deployed = states.describe_state_machine(stateMachineArn=rehearsal.outputs["Machine"])["definition"]
        return cls(rehearsal, json.loads(deployed), without_people(json.loads(deployed)))

    def use(self, definition: Definition | Halting | None = None) -> None:
        """Executions that begin from now on follow ``definition``; default: the original."""
        halting = definition if isinstance(definition, Halting) else None
        wanted = halting.definition if halting else definition or self.original
        self._embedded("breakpoints", [halting.state] if halting else [])
        if wanted != self._used:
            self.rehearsal.aws.client("stepfunctions").update_state_machine(
                stateMachineArn=self.rehearsal.outputs["Machine"], definition=json.dumps(wanted)
            )
            self._used = wanted

    def start(self, **request: Any) -> str:
        """Start an execution."""
        execution: str = self.rehearsal.aws.client("stepfunctions").start_execution(
            stateMachineArn=self.rehearsal.outputs["Machine"], input=json.dumps(request)
        )["executionArn"]
        return execution

    def stop(self, execution: str, **end: str) -> None:
        """Stop an execution from outside."""
        self.rehearsal.aws.client("stepfunctions").stop_execution(executionArn=execution, **end)

    def approve(self, **content: Any) -> str:
        """A new version, approved, which starts its release; its ARN."""
        known = {one["executionArn"] for one in self.rehearsal.executions()}
        arn = self.rehearsal.register(approval="Approved", **content)
        self.rehearsal.until(lambda: [one for one in self.rehearsal.executions() if one["executionArn"] not in known])
        return arn

    def running(self) -> list[str]:
        """The executions that run."""
        found = self.rehearsal.aws.client("stepfunctions").list_executions(
            stateMachineArn=self.rehearsal.outputs["Machine"], statusFilter="RUNNING"
        )["executions"]
        return [one["executionArn"] for one in found]

    def ended(self, execution: str) -> dict[str, Any]:
        """The description of an execution that has ended."""
        try:
            return self.rehearsal.end_of(execution)
        except AssertionError:
            raise AssertionError(f"it did not end: {self.story()}") from None

    def at(self, execution: str) -> str:
        """The state that an execution has entered last, or ``BREAKPOINT`` where it waits before another one."""
        if execution in self.halted():
            return BREAKPOINT
        events = self.rehearsal.aws.client("stepfunctions").get_execution_history(
            executionArn=execution, reverseOrder=True, maxResults=8
        )["events"]
        entered = (one["stateEnteredEventDetails"]["name"] for one in events if "stateEnteredEventDetails" in one)
        return next(entered, "")

    def go_on(self) -> None:
        """Let the executions go on that wait before a state."""
        self._embedded("breakpoints", method="POST")

    def halted(self) -> list[str]:
        """The executions that wait before a state."""
        return list(self._embedded("breakpoints"))

    def halt(self, state: str, story: Story, *, keyed: bool = True) -> str:
        """Run ``story`` until an execution stands before ``state``, and go on with the original; that execution.

        :param state: where it stands then.
        :param story: what is done, and with which definition.
        :param keyed: whether keys of ours encrypt the volumes.
        """
        story(self, stopping_at(self.original if keyed else without_keys(self.original), state))
        halted: list[str] = self.rehearsal.until(self.halted)
        self.use()
        return halted[0]

    def need_endpoint(self) -> str:
        """The version that serves; one is released where there is none."""
        if not self.exists() or not self.came_up:
            self.use()
            self.approve()
            self.rest()
            self.came_up = True
        self.before = self.require_known_state()
        return self.before

    def need_no_endpoint(self) -> None:
        """Take the endpoint away, as if nothing had ever been released."""
        self.before, self.came_up = "", True
        if not self.exists():
            return
        self.let_go_of_scaling()
        sagemaker = self.rehearsal.aws.client("sagemaker")
        sagemaker.delete_endpoint(EndpointName=ENDPOINT)
        self.rehearsal.until(lambda: not self.exists())
        for arn in self.in_production():
            sagemaker.update_model_package(
                ModelPackageArn=arn, ModelLifeCycle={"Stage": "Production", "StageStatus": "Retired"}
            )

    def rest(self, *, stopping: bool = False) -> None:
        """Wait until nothing runs and nobody holds the endpoint.

        :param stopping: stop whatever else comes to the breakpoint, such as an execution that the halted one started.
        """

        def rests() -> bool:
            running = self.running()
            for one in self.halted() if stopping else ():
                self.stop(one)
            return not running and not self.lock()

        try:
            self.rehearsal.until(rests)
        except AssertionError:
            raise AssertionError(f"it did not come to rest: {self.story()}") from None

    def let_go_of_scaling(self) -> None:
        """Let application auto scaling forget the endpoint; SageMaker keeps a variant that it still knows."""
        for resource, _ in self.rehearsal.targets():
            self.rehearsal.aws.client("application-autoscaling").deregister_scalable_target(
                ServiceNamespace="sagemaker",
                ResourceId=resource,
                ScalableDimension="sagemaker:variant:DesiredInstanceCount",
            )

    def throttle(self, **calls: int) -> dict[str, int]:
        """Let so many calls of these operations fail; what is still to come."""
        left: dict[str, int] = self._embedded("throttling", calls or None)
        return left

    def _embedded(self, what: str, told: Mapping[str, int] | list[str] | None = None, method: str = "GET") -> Any:
        """What the embedded AWS says of itself, once it was told something."""
        url = f"{self.rehearsal.aws.settings.endpoint_url}/_embedded/{what}"
        method, body = (method, None) if told is None else ("PUT", json.dumps(told))
        return urllib3.request(method, url, body=body).json()

    def forget_lock(self) -> None:
        """Take the lock away from whoever holds it."""
        for row in self.lock():
            self.rehearsal.aws.client("dynamodb").delete_item(
                TableName=self.rehearsal.outputs["RecordsTable"],
                Key={"endpoint": row["endpoint"], "at": row["at"]},
            )

    def require_known_state(self) -> str:
        """The version that serves: one has all traffic, scales alone, and is the one in production; none: no endpoint.

        What another release may find beside it is a variant without traffic, which is kept as a way back.
        """
        if not self.exists():
            assert self.rehearsal.targets() == []
            return ""
        live = self.rehearsal.endpoint()
        if not self.came_up and live["EndpointStatus"] == "Failed":
            return ""  # as it was found: it never served, and the next release makes it anew
        assert live["EndpointStatus"] == "InService"
        shares = self.rehearsal.traffic()
        (serving,) = [arn for arn, weight in shares.items() if weight > 0]
        (variant,) = [one["VariantName"] for one in live["ProductionVariants"] if one["CurrentWeight"] > 0]
        assert self.rehearsal.targets() == [(f"endpoint/{ENDPOINT}/variant/{variant}", False)]
        assert self.in_production() == [serving]
        return serving

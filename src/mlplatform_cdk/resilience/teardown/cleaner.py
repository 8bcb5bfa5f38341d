"""A custom resource that does nothing until it is deleted: a function, and a machine for what takes longer."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import CustomResource
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    PlatformFunction,
    allowed,
    function_arn,
    hours,
    machine_arn,
    partition_of,
    permission,
    seconds,
    stack_of,
)
from mlplatform_cdk.core.machines import PlatformStateMachine, StateMachineRole
from mlplatform_cdk.resilience.teardown.definition import ROUND_S, definition
from mlplatform_cdk.resilience.teardown.runtime.settings import VARIABLE

RUNTIME = "mlplatform_cdk.resilience.teardown.runtime"
RESOURCE_TYPE = "Custom::Teardown"
# CloudFormation waits for an hour at most; the answer and what comes before it need the rest.
_LONGEST = hours(1)
_PATIENCE_S = 50 * 60
_LONGEST_CALL_S, _MARGIN_S = 15 * 60, 5 * 60
_NO_MACHINE = "what waits for nobody has no machine to go on in"


class Cleaner(Construct):
    """Takes one kind of things away when its stack goes, and never when an update drops it.

    :param module: the module of the runtime that knows the kind.
    :param what: what it takes away, for people.
    :param targets: what it takes away, for the module.
    :param access: what that needs.
    :param key: encrypts the function's settings and the logs.
    :param environment: further settings of the function; default: none.
    :param waits: does it wait for others, which takes a machine; default: yes. Else its own work is all that there is,
        in one call of a quarter of an hour at most, after which the next destroy goes on.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        module: str,
        what: str,
        targets: Mapping[str, Any],
        access: Sequence[Access],
        key: kms.IKey,
        environment: Mapping[str, str] | None = None,
        waits: bool = True,
    ) -> None:
        super().__init__(scope, id)
        stack_of.tell(self, stack_of(scope))
        self.function = PlatformFunction(
            self,
            "Function",
            package=RUNTIME,
            module=module,
            description=f"Before its stack goes, takes {what} away",
            timeout=seconds(ROUND_S if waits else _LONGEST_CALL_S),
            environment={
                VARIABLE: stack_of(self).to_json_string(targets),
                **({"PATIENCE_S": str(_PATIENCE_S)} if waits else {}),
                **(environment or {}),
            },
            key=key,
            access=[
                Access(
                    [allowed(["cloudformation:DescribeStacks"], stack_of(self).stack_id)],
                    findings={} if waits else {"permission-missing[states:StartExecution]": _NO_MACHINE},
                ),
                *access,
            ],
        )
        machine = self._define_machine(what, key) if waits else None
        self.resource = CustomResource(
            self,
            "Resource",
            service_token=function_arn(self.function),
            resource_type=RESOURCE_TYPE,
            service_timeout=_LONGEST if waits else seconds(_LONGEST_CALL_S + _MARGIN_S),
            properties={"TakesAway": what, **({"Machine": machine_arn(machine)} if machine else {})},
        )
        if machine:
            self._let_begin(machine)

    def _define_machine(self, what: str, key: kms.IKey) -> PlatformStateMachine:
        return PlatformStateMachine(
            self,
            "Machine",
            definition=definition(partition_of(self), function_arn(self.function)),
            role=self._machine_role(),
            comment=f"Before its stack goes, takes {what} away",
            key=key,
        )

    def _let_begin(self, machine: PlatformStateMachine) -> None:
        """By a policy of its own: the machine names the function, so the function's own cannot name the machine."""
        begins = iam.ManagedPolicy(
            self,
            "Begins",
            description="Lets a teardown begin",
            roles=[self.function.platform_role],
            statements=[permission(["states:StartExecution"], machine_arn(machine))],
        )
        # It is used while the resource is deleted, so it goes after that.
        self.resource.node.add_dependency(begins)

    def _machine_role(self) -> StateMachineRole:
        calling = Access([allowed(["lambda:InvokeFunction"], function_arn(self.function))])
        return StateMachineRole(self, "MachineRole", description="Runs the rounds of a teardown", access=[calling])

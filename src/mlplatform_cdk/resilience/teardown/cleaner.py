"""A custom resource that does nothing until it is deleted: a function, and a machine for what takes longer."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    PlatformFunction,
    PlatformRole,
    allowed,
    partition_of,
    permission,
    service_principal,
    stack_of,
)
from mlplatform_cdk.core.machines import PlatformStateMachine
from mlplatform_cdk.resilience.teardown.definition import ROUND_S, definition
from mlplatform_cdk.resilience.teardown.runtime.settings import VARIABLE

RUNTIME = "mlplatform_cdk.resilience.teardown.runtime"
RESOURCE_TYPE = "Custom::Teardown"
# CloudFormation waits for an hour at most; the answer and what comes before it need the rest.
_LONGEST = Duration.hours(1)
_PATIENCE_S = 50 * 60


class Cleaner(Construct):
    """Takes one kind of things away when its stack goes, and never when an update drops it.

    :param module: the module of the runtime that knows the kind.
    :param what: what it takes away, for people.
    :param targets: what it takes away, for the module.
    :param access: what that needs.
    :param environment: further settings of the function.
    :param key: encrypts the function's settings and the logs.
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
    ) -> None:
        super().__init__(scope, id)
        self.function = PlatformFunction(
            self,
            "Function",
            package=RUNTIME,
            module=module,
            description=f"Before its stack goes, takes {what} away",
            timeout=Duration.seconds(ROUND_S),
            environment={
                VARIABLE: stack_of(self).to_json_string(targets),
                "PATIENCE_S": str(_PATIENCE_S),
                **(environment or {}),
            },
            key=key,
            access=[Access([allowed(["cloudformation:DescribeStacks"], stack_of(self).stack_id)]), *access],
        )
        machine = PlatformStateMachine(
            self,
            "Machine",
            definition=definition(partition_of(self), self.function.function_arn),
            role=self._machine_role(),
            comment=f"Before its stack goes, takes {what} away",
            key=key,
        )
        # A policy of its own: the machine names the function, so the function's own policy cannot name the machine.
        begins = iam.ManagedPolicy(
            self,
            "Begins",
            description="Lets a teardown begin",
            roles=[self.function.platform_role],
            statements=[permission(["states:StartExecution"], machine.state_machine_arn)],
        )
        self.resource = CustomResource(
            self,
            "Resource",
            service_token=self.function.function_arn,
            resource_type=RESOURCE_TYPE,
            service_timeout=_LONGEST,
            properties={"Machine": machine.state_machine_arn, "TakesAway": what},
        )
        # They are used while the resource is deleted, so they go after it.
        self.resource.node.add_dependency(begins)

    def _machine_role(self) -> PlatformRole:
        return PlatformRole(
            self,
            "MachineRole",
            assumed_by=service_principal("states.amazonaws.com"),
            description="Runs the rounds of a teardown",
            access=[
                Access(
                    [allowed(["lambda:InvokeFunction"], self.function.function_arn)],
                    patterns={"*": "log delivery and X-Ray, which CDK grants a state machine, take no resource"},
                )
            ],
        )

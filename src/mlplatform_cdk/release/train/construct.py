"""A train as a user defines it: from which registry, through which waves, when it may go and who is asked."""

import math
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    ConfigurationError,
    PlatformFunction,
    PlatformImage,
    acknowledge,
    allowed,
    arn_of,
    encrypting,
    function_arn,
    grant_read,
    is_known,
    partition_of,
    permission,
    resource_of,
    topic_arn,
)
from mlplatform_cdk.core.machines import PlatformStateMachine, StateMachineRole
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release.gates import Gates
from mlplatform_cdk.release.records import ReleaseRecords, publish_address
from mlplatform_cdk.release.train.definition import EVENTS_A_LOOK, EVENTS_FOR_LOOKS, Journey, definition
from mlplatform_cdk.release.train.findings import AS_ANOTHER
from mlplatform_cdk.release.train.tasks import COPY_S, Tasks
from mlplatform_cdk.release.train.waves import Stop, Wave, parameter_name, role_name
from mlplatform_cdk.runtimekit.freeze_calendar import FreezeCalendar
from mlplatform_cdk.runtimekit.release_address import ReleaseAddress

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")  # of a state machine
RUNTIME = "mlplatform_cdk.release.train.runtime"
_MEMORY_MIB = 1024  # also the share of the network, which is what copying needs
_SHORTEST_LOOK_S = 60


class ReleaseTrain(Construct):
    """Takes an approved version through ``waves``: each is a release of its own at each of its stops.

    Before each wave the train looks at ``calendar`` and asks whoever must approve it. At each stop the version is
    copied to the stop's own account and region (its entry, archive, manifest and image, each checked by digest), and
    the release machine of the stop's endpoint is started and watched to its end. A stop that fails ends the journey;
    those that have arrived go back, unless ``roll_back`` says that they stay.

    Each stop's stack has a ``TrainStation`` for its endpoint, deployed before the train runs. One train goes at a time;
    the next one waits for it, a week at most. A train that is stopped leaves the releases that it has begun to
    themselves: each is whole without it.

    Start one with ``{"model_package_arn": "...", "who": "...", "reason": "..."}``, each of them optional: by default
    the newest approved version goes.

    :param waves: where it goes, in this order; a stop's name is in one wave only.
    :param registry: whose approved versions go.
    :param artifacts: where their archives lie, under ``runs/``.
    :param image: what serves them; its repository is read.
    :param records: where each decision is written, under the train's name.
    :param key: encrypts the function's settings and logs, and the messages.
    :param name: what people call it, and its state machine's name; default: the registry's group, and ``-train``.
    :param calendar: when a wave may depart; default: always.
    :param roll_back: do those that have arrived go back when another stop fails; default: yes.
    :param patience: how long one stop's release may take, its bake included; default: two days.
    :param notifications: hears of approvals that are waited for and of each train's end; default: nobody does.
    """

    def __init__(  # noqa: PLR0913 - each argument but the first six has a default
        self,
        scope: Construct,
        id: str,
        *,
        waves: Sequence[Wave],
        registry: ModelRegistry,
        artifacts: s3.IBucket,
        image: PlatformImage,
        records: ReleaseRecords,
        key: kms.IKey,
        name: str | None = None,
        calendar: FreezeCalendar | None = None,
        roll_back: bool = True,
        patience: timedelta = timedelta(days=2),
        notifications: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.train_name = name or f"{registry.model_package_group_name}-train"
        self._stops = [stop for wave in waves for stop in wave.stops]
        self._check(waves, patience)
        self.function = PlatformFunction(
            self,
            "Steps",
            package=RUNTIME,
            description=f"Decides, copies and watches for the train {self.train_name}",
            timeout=Duration.seconds(COPY_S),
            memory_mib=_MEMORY_MIB,
            environment={**records.environment, "MODEL_PACKAGE_GROUP_NAME": registry.model_package_group_name},
            key=key,
        )
        self._grant_steps(registry, artifacts, image, records)
        asks = any(wave.approval for wave in waves)
        self.gates = self._define_gates(records, key, notifications) if asks else None
        train = {
            "name": self.train_name,
            "waves": [_facts(wave) for wave in waves],
            "roll_back": roll_back,
            "calendar": calendar.to_mapping() if calendar else None,
        }
        self.state_machine = self._define_machine(train, patience, key, notifications)
        self._see_itself()
        publish_address(
            self,
            ReleaseAddress(
                endpoint=self.train_name,
                machine=self.state_machine.state_machine_arn,
                table=records.table_name,
                bus=records.bus_name,
                instance_type="",
                minimum=0,
                maximum=0,
                group=registry.model_package_group_name,
            ),
        )

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` send trains off, and nothing more."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["states:StartExecution"], resource_arns=[self.state_machine.state_machine_arn]
        )

    def metric_failed(self, *, statistic: str = "sum") -> "cloudwatch.Metric":
        """Trains that did not arrive everywhere; anything else through ``.with_(...)``."""
        return self.state_machine.metric_failed(statistic=statistic)

    def _check(self, waves: Sequence[Wave], patience: timedelta) -> None:
        if is_known(self.train_name) and not _NAME.fullmatch(self.train_name):
            raise ConfigurationError(
                self, f"name must be 1 to 80 letters, digits, hyphens and underscores, got {self.train_name!r}"
            )
        if not waves:
            raise ConfigurationError(self, "a train must have a wave, got none")
        for what, names in (
            ("stop", [stop.name for stop in self._stops]),
            ("wave", [wave.name for wave in waves]),
            ("endpoint", [f"{stop.endpoint_name} in {stop.account}, {stop.region}" for stop in self._stops]),
        ):
            twice = sorted({one for one in names if names.count(one) > 1})
            if twice:
                raise ConfigurationError(self, f"a train goes to each {what} once, got {', '.join(twice)} twice")
        if not timedelta(minutes=10) <= patience <= timedelta(days=30):
            raise ConfigurationError(self, f"patience must be from 10 minutes to 30 days, got {patience}")

    def _grant_steps(
        self, registry: ModelRegistry, artifacts: s3.IBucket, image: PlatformImage, records: ReleaseRecords
    ) -> None:
        role = self.function.platform_role
        registry.grant_read(self.function)
        grant_read(artifacts, self.function, prefix="runs/")
        image.grant_pull(role)
        records.grant_record(role)
        role.allow(permission(["sts:AssumeRole"], *(self._role_of(stop) for stop in self._stops)))
        acknowledge(role, AS_ANOTHER)

    def _define_gates(self, records: ReleaseRecords, key: kms.IKey, notifications: sns.ITopic | None) -> Gates:
        return Gates(
            self, "Gates", endpoint_name=self.train_name, records=records, key=key, notifications=notifications
        )

    def _define_machine(
        self, train: dict[str, object], patience: timedelta, key: kms.IKey, topic: sns.ITopic | None
    ) -> sfn.StateMachine:
        look_every = _look_every_s(patience, len(self._stops))
        journey = Journey(
            tasks=Tasks(partition_of(self), self.function.function_arn, self.train_name),
            train=train,
            stations=[self._station(stop) for stop in self._stops],
            look_every_s=look_every,
            most_looks=math.ceil(patience.total_seconds() / look_every),
            gate_function_arn=self.gates.function.function_arn if self.gates else None,
            topic_arn=topic.topic_arn if topic else None,
        )
        functions = [self.function, *([self.gates.function] if self.gates else [])]
        access = [Access([allowed(["lambda:InvokeFunction"], *map(function_arn, functions))])]
        if topic is not None:
            access += [Access([allowed(["sns:Publish"], topic_arn(topic))]), encrypting(key)]
        role = StateMachineRole(
            self, "MachineRole", description=f"Runs the states of the train {self.train_name}", access=access
        )
        machine = PlatformStateMachine(
            self,
            "Machine",
            definition=definition(journey),
            role=role,
            comment=f"Takes versions through the waves of {self.train_name}",
            key=key,
        )
        # By this name a delivery pipeline knows it before there is a stack to ask.
        resource_of(machine).add_property_override("StateMachineName", self.train_name)
        return machine

    def _see_itself(self) -> None:
        """Let the function see whether another train is on its way, by a policy of its own: no cycle that way."""
        iam.ManagedPolicy(
            self,
            "OneAtATime",
            description="Lets a train see whether another one is on its way",
            roles=[self.function.platform_role],
            statements=[permission(["states:ListExecutions"], self.state_machine.state_machine_arn)],
        )

    def _station(self, stop: Stop) -> dict[str, str]:
        return {
            "name": stop.name,
            "region": stop.region,
            "role_arn": self._role_of(stop),
            "external_id": stop.external_id,
            "parameter": parameter_name(stop.endpoint_name),
        }

    def _role_of(self, stop: Stop) -> str:
        name = role_name(stop.endpoint_name, stop.region)
        return arn_of(self, "iam", f"role/{name}", region="", account=stop.account)


def _facts(wave: Wave) -> dict[str, object]:
    approval = math.ceil(wave.approval.total_seconds()) if wave.approval else 0
    return {"name": wave.name, "stations": [stop.name for stop in wave.stops], "approval_s": approval}


def _look_every_s(patience: timedelta, stops: int) -> int:
    """The shortest time between two looks with which the history of a whole journey stays within its limit."""
    seconds = patience.total_seconds() * stops * EVENTS_A_LOOK / EVENTS_FOR_LOOKS
    return max(_SHORTEST_LOOK_S, math.ceil(seconds))

"""What sends a train off by itself: a version that is approved at home."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from mlplatform_cdk.core import PlatformRole
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release.blue_green.triggers import start_on_approval
from mlplatform_cdk.release.train.construct import ReleaseTrain


class DepartureOnApproval(Construct):
    """Sends ``train`` off with each version that is approved.

    A stop that shares the train's registry has the same event: say ``on_approval=False`` of its ``BlueGreenRelease``,
    so that the train alone starts its releases.

    :param train: what departs.
    :param registry: whose versions it takes; the train's own.
    """

    def __init__(self, scope: Construct, id: str, *, train: ReleaseTrain, registry: ModelRegistry) -> None:
        super().__init__(scope, id)
        role = PlatformRole(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
            description=f"Sends the train {train.train_name} off when a version is approved",
        )
        train.grant_start(role)
        start_on_approval(self, registry=registry, machine=train.state_machine, role=role)

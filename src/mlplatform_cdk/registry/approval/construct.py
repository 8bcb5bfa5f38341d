"""The event that a version waits for approval, and the function that answers it by rule."""

from collections.abc import Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import Access, PlatformFunction, dead_letters_of, hours
from mlplatform_cdk.registry.approval.rule import ApprovalRule

RUNTIME = "mlplatform_cdk.registry.approval.runtime"
_RETRIES = 8
_GIVE_UP_AFTER = hours(6)


class ApprovalByRule(Construct):
    """Approves the versions that satisfy ``rule`` and says on the others why they wait for a person.

    :param rule: which versions are good enough.
    :param pending: the events of versions that wait.
    :param key: encrypts the function's settings and logs; default: keys that AWS owns.
    :param access: what approving takes; default: nothing, as the caller grants it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        rule: ApprovalRule,
        pending: events.EventPattern,
        key: kms.IKey | None = None,
        access: Sequence[Access] = (),
    ) -> None:
        super().__init__(scope, id)
        self.function = PlatformFunction(
            self,
            "Function",
            package=RUNTIME,
            description="Approves a registered model that satisfies the approval rule",
            environment={"METRIC": rule.metric, "AT_LEAST": repr(float(rule.at_least))},
            key=key,
            access=access,
        )
        events.Rule(
            self,
            "Pending",
            description="A model version waits for approval",
            event_pattern=pending,
            targets=[
                targets.LambdaFunction(
                    self.function,
                    dead_letter_queue=dead_letters_of(self),
                    retry_attempts=_RETRIES,
                    max_event_age=_GIVE_UP_AFTER,
                )
            ],
        )

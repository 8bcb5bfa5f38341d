"""Faults that AWS FIS has no action for: two documents of ours, which hold the endpoint's lock meanwhile.

A release changes its endpoint while it holds the lock (docs/adr/0017), and so does a drill: it does not begin while a
release has the lock, waits for it, or has left something to be brought back; and a release that is started during the
drill waits for the drill's end.
"""

from abc import ABC
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from constructs import Construct

from mlplatform_cdk.core import Access, arn_of, stack_of
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.resilience.automation import Automation
from mlplatform_cdk.resilience.chaos.documents import Lock, breaking, mending
from mlplatform_cdk.resilience.chaos.fault import Action, Documents, Fault, Injection, iso

_STARTING = timedelta(minutes=15)  # what it takes besides, before and after
_MENDING = timedelta(
    minutes=75
)  # then the lock is free in any case: a look, the break, three tries of ten minutes each


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedFault(Fault, ABC):
    """A fault of two documents: one breaks and waits, the other mends, however the wait ends.

    :param records: of the releases of the endpoint, whose lock is held meanwhile; default: no release owns it.
    """

    records: ReleaseRecords | None = None

    def by_documents(
        self,
        scope: Construct,
        script: str,
        *,
        given: Mapping[str, str],
        kept: Sequence[str],
        access: Access,
        endpoint_name: str,
    ) -> Injection:
        """A fault of two documents of ours, which is mended whether the experiment ends, fails or is stopped."""
        lock = self._lock(endpoint_name)
        accesses = [access, *([] if self.records is None else [self.records.holding()])]
        mender = Automation(
            scope,
            "Mend",
            content=mending(script, what=self.sentence, given=given, kept=kept, lock=lock),
            sentence=f"Mends: {self.sentence}",
            access=accesses,
        )
        breaker = Automation(
            scope,
            "Break",
            content=breaking(
                script,
                what=self.sentence,
                given=given,
                kept=kept,
                lasts=iso(self.lasts),
                mending=mender.name,
                mending_role=mender.role.role_arn,
                lock=lock,
            ),
            sentence=self.sentence,
            access=[*accesses, mender.starting()],
        )
        action = Action(
            action_id="aws:ssm:start-automation-execution",
            description=self.sentence,
            parameters={
                "documentArn": arn_of(scope, "ssm", f"document/{breaker.name}"),
                "documentParameters": stack_of(scope).to_json_string({"AutomationAssumeRole": breaker.role.role_arn}),
                "maxDuration": iso(self.lasts + _STARTING),
            },
        )
        documents = Documents(breaks=breaker, mends=mender)
        return Injection(action, [breaker.starting(watches=True)], documents=documents)

    def _lock(self, endpoint_name: str) -> Lock | None:
        if self.records is None:
            return None
        seconds = int((self.lasts + _MENDING).total_seconds())
        return Lock(table_name=self.records.table_name, endpoint_name=endpoint_name, seconds=seconds)

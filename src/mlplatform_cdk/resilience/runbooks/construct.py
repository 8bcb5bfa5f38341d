"""The runbooks of an endpoint, one per way out, and the alarms of its stack that lead to them."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core import ConfigurationError, KeptRunbooks, WayOut, give, is_known, lead_to
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.resilience.automation import Automation
from mlplatform_cdk.resilience.runbooks.drain import drain
from mlplatform_cdk.resilience.runbooks.parts import Approval, Place
from mlplatform_cdk.resilience.runbooks.rebuild import rebuild
from mlplatform_cdk.resilience.runbooks.replicate import replicate
from mlplatform_cdk.resilience.runbooks.restore import RestorableTable, restore
from mlplatform_cdk.resilience.runbooks.roll_back import roll_back
from mlplatform_cdk.resilience.runbooks.scale_up import scale_up
from mlplatform_cdk.routing.health_probe import VerdictTable
from mlplatform_cdk.routing.plan import MultiRegionEndpoint
from mlplatform_cdk.runtimekit.runbook_names import Runbook
from mlplatform_cdk.serving import ReleasedEndpoint

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html
_RESERVED = ("aws", "amazon", "amzn")


class Runbooks(Construct):
    """Documents of Systems Manager that do what an alarm asks for, and the alarms' descriptions that name them.

    ``<endpoint>-roll-back``, ``-scale-up`` and ``-rebuild`` are always there; ``-drain`` with ``verdicts``,
    ``-restore`` with ``tables``, ``-replicate`` with ``archives``. Each has a role of its own that does only its steps,
    refuses parameters that do not match, and is started by hand: in the console, or by
    ``aws ssm start-automation-execution``.
    An alarm of the stack that needs a runbook which is not there is refused, be it made before or after.

    docs/runbooks.md has each alarm and its runbook.

    :param endpoint: whose runbooks; its name begins theirs.
    :param release: what releases to it.
    :param registry: whose versions.
    :param plan: the regions, where the endpoint is one of several; default: it has one.
    :param verdicts: where this region is drained; default: it cannot be.
    :param tables: that can be restored; default: none.
    :param archives: what is replicated from this region; default: nothing is.
    :param approval: who must look before what cannot be taken back: an endpoint deleted, rows written over, the last
        region drained; default: nobody is asked.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: ReleasedEndpoint,
        release: BlueGreenRelease,
        registry: ModelRegistry,
        plan: MultiRegionEndpoint | None = None,
        verdicts: VerdictTable | None = None,
        tables: Sequence[RestorableTable] = (),
        archives: s3.IBucket | None = None,
        approval: Approval | None = None,
    ) -> None:
        super().__init__(scope, id)
        name = endpoint.endpoint_name
        self._check(name, plan, verdicts)
        place = Place(scope=self, prefix=name, approval=approval)
        self.automations: dict[Runbook, Automation] = {
            Runbook.ROLL_BACK: roll_back(place, release=release, endpoint_name=name),
            Runbook.SCALE_UP: scale_up(place, endpoint=endpoint),
            Runbook.REBUILD: rebuild(place, endpoint=endpoint, release=release, registry=registry),
        }
        if plan is not None and verdicts is not None:
            self.automations[Runbook.DRAIN] = drain(place, plan=plan, verdicts=verdicts, endpoint_name=name)
        if tables:
            self.automations[Runbook.RESTORE] = restore(place, tables=tables)
        if archives is not None:
            self.automations[Runbook.REPLICATE] = replicate(place, archives=archives)
        self._subject = name
        self._kept = KeptRunbooks(prefix=name, here=frozenset(self.automations))
        lead_to(self, [name, *([plan.domain_name] if plan is not None else [])], self._kept)

    def _check(self, name: str, plan: MultiRegionEndpoint | None, verdicts: VerdictTable | None) -> None:
        if is_known(name) and name.startswith(_RESERVED):
            raise ConfigurationError(
                self,
                f"the endpoint's name must not begin with {', '.join(_RESERVED)}, as no document's may, got {name!r}",
            )
        if (plan is None) != (verdicts is None):
            raise ConfigurationError(self, "plan and verdicts must be given together: a region is drained by both")

    @staticmethod
    def lead_elsewhere(scope: Construct, *, endpoint_name: str) -> None:
        """Let the alarms of a stack without runbooks, such as that of the names, name those of another stack.

        :param scope: the stack, or any construct in it.
        :param endpoint_name: whose runbooks; what the endpoint is called in every region.
        """
        lead_to(scope, [endpoint_name], KeptRunbooks(prefix=endpoint_name))

    def link(self, alarm: cloudwatch.Alarm | cloudwatch.CompositeAlarm, runbook: Runbook, *, sentence: str) -> None:
        """Let an alarm of yours name a runbook.

        :param alarm: of the same app; its description is replaced.
        :param runbook: what to do when it rings.
        :param sentence: what has happened then, without a full stop.
        """
        WayOut(sentence=sentence, runbook=runbook, subject=self._subject).remember(alarm)
        lead_to(alarm, [self._subject], self._kept)  # it tells all of the stack, also one that stands over this one

    def grant_start(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee``, such as a team's role, start every runbook, follow it, and stop it."""
        give(grantee, *(one.starting(watches=True) for one in self.automations.values()))

"""A teardown as a user defines it: what of a stack has to be taken away before CloudFormation can take the rest."""

from collections.abc import Sequence
from itertools import pairwise

import jsii
from aws_cdk import CfnDeletionPolicy, CfnResource
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct, IConstruct, IValidation

from mlplatform_cdk.core import (
    ConfigurationError,
    bucket_arn,
    bucket_name,
    default_child_of,
    machine_arn,
    options_of,
    resource_of,
    stack_of,
)
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.resilience.teardown import access
from mlplatform_cdk.resilience.teardown.cleaner import Cleaner
from mlplatform_cdk.training import RetrainingPipeline
from mlplatform_cdk.workspace import StudioDomain


class Teardown(Construct):
    """Takes away what costs money and CloudFormation does not know of, or refuses to delete, when the stack goes.

    One stands in each stack, made last, for what that stack has made. When the stack is deleted, in this order: what
    starts releases and runs goes; running pipelines end with their jobs; running releases end and lose their lock; apps
    of Studio are stopped; versions of models, and the objects of buckets, are deleted. Then CloudFormation deletes the
    rest, the endpoint among it. What waits for others has 50 minutes, deleting by itself 15; then it fails with what is
    left, and the next destroy goes on. An A/B test of another stack that runs on an endpoint is not ended: the destroy
    fails at once and says how to end it.

    **Nothing that is kept is touched**: of buckets, registries and Studio's spaces only those whose removal policy is
    ``DESTROY`` are emptied. An update that drops this construct from a stack takes nothing away, either. Where there
    is nothing to do, it defines no resource.

    :param key: encrypts the functions' settings and the logs.
    :param releases: whose releases end, of this stack's endpoints; default: none.
    :param pipelines: whose runs and jobs end; default: none.
    :param machines: further state machines whose executions end, such as an A/B test's or a train's; default: none.
    :param starters: what starts those, such as a test's ``recovery``: it goes before them; default: nothing.
    :param studios: where apps are stopped, and, if they go, people's own spaces are deleted; default: none.
    :param registries: which lose their versions, if they go; default: none.
    :param buckets: which are shut and emptied in this order, if they go; that of the access logs last; default: none.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        key: kms.IKey,
        releases: Sequence[BlueGreenRelease] = (),
        pipelines: Sequence[RetrainingPipeline] = (),
        machines: Sequence[sfn.StateMachine] = (),
        starters: Sequence[IConstruct] = (),
        studios: Sequence[StudioDomain] = (),
        registries: Sequence[ModelRegistry] = (),
        buckets: Sequence[s3.Bucket] = (),
    ) -> None:
        super().__init__(scope, id)
        stack_of.tell(self, stack_of(scope))
        self._key = key
        self._going: list[CfnResource] = []
        steps = [
            self._define_machines(pipelines, machines, [*starters, *(one.trigger for one in pipelines)]),
            self._define_releases(releases),
            self._define_studios(studios),
            self._define_registries([one for one in registries if self._goes(one)]),
            self._define_buckets([one for one in buckets if self._goes(one)]),
        ]
        cleaners = [one for one in steps if one is not None]
        if self._going:
            self.node.add_validation(_StillGoes(self._going))
        # CloudFormation deletes what depends on another before that other.
        for earlier, later in pairwise(cleaners):
            earlier.resource.node.add_dependency(later.resource)

    def _define_releases(self, releases: Sequence[BlueGreenRelease]) -> Cleaner | None:
        if not releases:
            return None
        every = [one.state_machine for one in releases]
        cleaner = Cleaner(
            self,
            "Releases",
            module="releases",
            what="running releases",
            targets={
                "machines": [machine_arn(one) for one in every],
                "locks": [
                    {"table": one.records.table_name, "endpoint": one.endpoint.endpoint_name} for one in releases
                ],
            },
            access=[
                access.ending(self, every, sees_others=True),
                releases[0].records.seeing_holders(),
                *(one.records.writing() for one in releases),
            ],
            environment={**releases[0].records.environment},
            key=self._key,
        )
        for one in releases:
            # Nothing starts a release any more while it runs, and no release is left when the endpoint goes.
            one.state_machine.node.add_dependency(one.endpoint.removal)
            cleaner.resource.node.add_dependency(one.state_machine, one.records, one.endpoint.removal)
            for begins in (one.triggers, one.guard):
                begins.node.add_dependency(cleaner.resource)
        return cleaner

    def _define_machines(
        self,
        pipelines: Sequence[RetrainingPipeline],
        machines: Sequence[sfn.StateMachine],
        starters: Sequence[IConstruct],
    ) -> Cleaner | None:
        every = [*(one.state_machine for one in pipelines), *machines]
        if not every:
            return None
        cleaner = Cleaner(
            self,
            "Machines",
            module="machines",
            what="running executions and their jobs",
            targets={
                "machines": [machine_arn(one) for one in every],
                "jobs": [{"prefix": one.job_prefix, "machine": machine_arn(one.state_machine)} for one in pipelines],
            },
            access=[access.ending(self, every), access.ending_jobs(self, [one.job_prefix for one in pipelines])],
            key=self._key,
        )
        cleaner.resource.node.add_dependency(*every)
        for begins in starters:
            begins.node.add_dependency(cleaner.resource)
        return cleaner

    def _define_studios(self, studios: Sequence[StudioDomain]) -> Cleaner | None:
        if not studios:
            return None
        cleaner = Cleaner(
            self,
            "Studios",
            module="studio",
            what="the apps of Studio",
            targets={
                "domains": [
                    {
                        "id": one.domain_id,
                        "goes": self._goes(one),
                        "spaces": list(one.space_names),
                        "users": list(one.user_names),
                    }
                    for one in studios
                ]
            },
            access=[access.leaving_studio(self, [one.domain_id for one in studios])],
            key=self._key,
        )
        cleaner.resource.node.add_dependency(*studios)
        return cleaner

    def _define_registries(self, registries: Sequence[ModelRegistry]) -> Cleaner | None:
        if not registries:
            return None
        cleaner = Cleaner(
            self,
            "Registries",
            module="versions",
            what="the versions of models",
            targets={"groups": [one.model_package_group_name for one in registries]},
            access=[access.deleting_versions(registries)],
            key=self._key,
            waits=False,
        )
        cleaner.resource.node.add_dependency(*(resource_of(one) for one in registries))
        return cleaner

    def _define_buckets(self, buckets: Sequence[s3.Bucket]) -> Cleaner | None:
        if not buckets:
            return None
        cleaner = Cleaner(
            self,
            "Buckets",
            module="buckets",
            what="the objects of buckets",
            targets={"buckets": [{"name": bucket_name(one), "arn": bucket_arn(one)} for one in buckets]},
            access=[access.emptying(buckets)],
            key=self._key,
            waits=False,
        )
        for one in buckets:
            cleaner.resource.node.add_dependency(resource_of(one))
            policy = one.policy
            if policy is not None:  # it goes first: with it, the cleaner's refusal of what comes late would go
                policy.node.add_dependency(cleaner.resource)
        return cleaner

    def _goes(self, construct: IConstruct) -> bool:
        """Does CloudFormation delete what ``construct`` stands for."""
        resource = default_child_of(construct)
        if not isinstance(resource, CfnResource):
            raise ConfigurationError(
                self, f"a teardown is for what its own stack makes, got the borrowed {construct.node.path}"
            )
        goes = _is_deleted(resource)
        if goes:
            self._going.append(resource)
        return goes


def _is_deleted(resource: CfnResource) -> bool:
    return options_of(resource).deletion_policy in (None, CfnDeletionPolicy.DELETE)


@jsii.implements(IValidation)
class _StillGoes:
    """What went with its stack when the teardown was made must still go when every aspect has had its say."""

    def __init__(self, going: Sequence[CfnResource]) -> None:
        self._going = going

    def validate(self) -> list[str]:
        """One sentence for each thing that is kept by now, and would be emptied all the same."""
        return [
            f"{one.node.path} must still be deleted with its stack, as when the teardown that empties it was made, and "
            "is kept by now; give it its removal policy before that"
            for one in self._going
            if not _is_deleted(one)
        ]

"""Images come to every other region as they are pushed at home, by ECR itself."""

import re
from collections.abc import Sequence

from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    ConfigurationError,
    PlatformRole,
    allowed,
    arn_of,
    key_arn,
)
from mlplatform_cdk.routing.replication.here import region_here, require_home
from mlplatform_cdk.routing.replication.plan import RegionalData

_Rules = ecr.CfnReplicationConfiguration
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html
_MOST_DESTINATIONS = 25
_MOST_FILTERS = 100
# Of `RepositoryFilterValue` in ECR's service model.
_FILTER = re.compile(r"(?=.{2,256}$)(?:[a-z0-9]+(?:[._-][a-z0-9]*)*/)*[a-z0-9]*(?:[._-][a-z0-9]*)*")


class ImageReplication(Construct):
    """Replicates the home's repositories whose names begin with one of ``prefixes`` to each other region.

    A registry, which is an account's in one region, has one replication configuration: define this once for it, and
    hand it the prefixes of all that wants copies. A configuration that was made by hand is replaced.
    Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutReplicationConfiguration.html

    A repository keeps its name; what is pushed from then on is copied, most of it within 30 minutes, and neither
    deletions nor lifecycle rules are. A copy is not copied on.
    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html

    :param plan: the regions and their names.
    :param prefixes: how the names of the repositories begin, 2 to 256 characters each, at most 100.
    """

    def __init__(self, scope: Construct, id: str, *, plan: RegionalData, prefixes: Sequence[str]) -> None:
        super().__init__(scope, id)
        require_home(self, plan)
        self._check(plan, prefixes)
        filters = [_Rules.RepositoryFilterProperty(filter=one, filter_type="PREFIX_MATCH") for one in prefixes]
        destinations = [
            _Rules.ReplicationDestinationProperty(region=region, registry_id=plan.accounts[region])
            for region in plan.others
        ]
        rule = _Rules.ReplicationRuleProperty(destinations=destinations, repository_filters=filters)
        configuration = _Rules.ReplicationConfigurationProperty(rules=[rule])
        _Rules(self, "Resource", replication_configuration=configuration)

    def _check(self, plan: RegionalData, prefixes: Sequence[str]) -> None:
        if not 0 < len(plan.others) <= _MOST_DESTINATIONS:
            raise ConfigurationError(
                self, f"the plan must have 1 to {_MOST_DESTINATIONS} regions beside its home, got {len(plan.others)}"
            )
        if isinstance(prefixes, str) or not 0 < len(prefixes) <= _MOST_FILTERS:
            raise ConfigurationError(
                self, f"prefixes must be a list of 1 to {_MOST_FILTERS} beginnings of names, got {prefixes!r}"
            )
        for prefix in prefixes:
            if not _FILTER.fullmatch(prefix):
                raise ConfigurationError(self, f"a prefix must begin the name of a repository, got {prefix!r}")


class ReplicatedImages(Construct):
    """What copies of images find in a region that is not the home: repositories with its key, and tags that stay.

    ECR makes the repositories itself, when the first copy comes; without this it makes them with its own key and tags
    that can be overwritten. A repository that is there stays as it is.
    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates.html

    A region in another account also lets the home's registry in. A registry has one policy: a second of these in the
    account and region would write over the first; so hand it all prefixes.
    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions-create-replication.html

    The repositories are ECR's and stay when the stack goes.

    :param plan: the regions and their names.
    :param prefixes: as the home's ``ImageReplication`` has them; each a namespace with its slash, such as ``churn/``,
        since ECR adds one to whatever a template begins with.
    :param key: encrypts the images.
    """

    def __init__(
        self, scope: Construct, id: str, *, plan: RegionalData, prefixes: Sequence[str], key: kms.IKey
    ) -> None:
        super().__init__(scope, id)
        region = region_here(self, plan)
        if region == plan.home:
            raise ConfigurationError(self, f"copies of images come to other regions than the home, got {region}")
        if isinstance(prefixes, str) or not prefixes or not all(one.endswith("/") for one in prefixes):
            raise ConfigurationError(self, f"prefixes must be a list of namespaces such as 'churn/', got {prefixes!r}")
        self.repositories = [arn_of(self, "ecr", f"repository/{prefix}*") for prefix in prefixes]
        role = PlatformRole(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("ecr.amazonaws.com"),
            description=f"Makes the repositories of copied images in {region}",
            access=[self._access(key)],
        )
        for prefix in prefixes:
            ecr.CfnRepositoryCreationTemplate(
                Construct(self, prefix.strip("/").replace("/", "-")),
                "Template",
                prefix=prefix.rstrip("/"),
                applied_for=["REPLICATION"],
                description=f"Copies of images whose repository begins with {prefix}",
                custom_role_arn=role.role_arn,
                encryption_configuration=ecr.CfnRepositoryCreationTemplate.EncryptionConfigurationProperty(
                    encryption_type="KMS", kms_key=key_arn(key)
                ),
                image_tag_mutability="IMMUTABLE",
            )
        if plan.is_elsewhere(region):
            ecr.CfnRegistryPolicy(self, "LetsTheHomeIn", policy_text=self._policy(plan))

    def _access(self, key: kms.IKey) -> Access:
        """What ECR asks of the role of a template with a key, on these repositories and this key alone.

        Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates-custom.html
        """
        return Access(
            [
                allowed(["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"], *self.repositories),
                allowed(["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"], key_arn(key)),
            ],
            patterns=dict.fromkeys(self.repositories, "the repositories of one prefix, which ECR makes"),
        )

    def _policy(self, plan: RegionalData) -> dict[str, object]:
        home = f"arn:{plan.partition}:iam::{plan.account}:root"
        statement = {
            "Sid": "ReplicationOfTheHome",
            "Effect": "Allow",
            "Principal": {"AWS": home},
            "Action": ["ecr:CreateRepository", "ecr:ReplicateImage"],
            "Resource": self.repositories,
        }
        return {"Version": "2012-10-17", "Statement": [statement]}

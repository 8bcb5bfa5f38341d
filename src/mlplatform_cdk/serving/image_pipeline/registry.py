"""What holds for a whole registry: CloudFormation has one signing and one replication configuration per region."""

import re
from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_signer as signer
from constructs import Construct

from mlplatform_cdk.core import ConfigurationError, is_known
from mlplatform_cdk.serving.image_pipeline.lifecycle import lifecycle_policy

_PREFIX = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_PREFIX_LENGTH = range(2, 31)
_PLATFORM = "Notation-OCI-SHA384-ECDSA"


class ImageRegistry(Construct):
    """The rules of this account's registry in this region: who signs, where copies go, how copies are kept.

    An account has one registry per region, and the registry one set of rules: put this construct into one stack per
    account and region, and into the regions that receive copies too (without ``copies_to``), since a copy takes its
    settings from the rules of the place where it arrives.

    Everything that is pushed below ``prefix`` is signed by ECR itself with a profile of AWS Signer, in the name of who
    pushes it: https://docs.aws.amazon.com/AmazonECR/latest/userguide/managed-signing.html. Verify with Notation.

    With ``copies_to`` it defines the registry's one replication configuration, as ``ImageReplication`` does: have one
    of the two in an account and region, or each deployment replaces the other's rules.

    :param prefix: the repositories that the rules are for, those whose names begin with ``<prefix>/``.
    :param copies_to: other regions that every image is copied to; default: none.
    :param kept_images: how many images a copied repository keeps; default: 20.
    """

    def __init__(
        self, scope: Construct, id: str, *, prefix: str, copies_to: Sequence[str] = (), kept_images: int = 20
    ) -> None:
        super().__init__(scope, id)
        self._check(prefix, copies_to)
        self.prefix = prefix
        self.copies_to = tuple(copies_to)
        profile = signer.CfnSigningProfile(self, "Signer", platform_id=_PLATFORM)
        self.signing_profile_arn = profile.attr_arn
        self.signing = ecr.CfnSigningConfiguration(
            self,
            "Signing",
            rules=[
                ecr.CfnSigningConfiguration.RuleProperty(
                    signing_profile_arn=profile.attr_arn,
                    repository_filters=[
                        ecr.CfnSigningConfiguration.RepositoryFilterProperty(
                            filter=f"{prefix}/*", filter_type="WILDCARD_MATCH"
                        )
                    ],
                )
            ],
        )
        self._define_arrivals(kept_images)
        if copies_to:
            self._define_copies(copies_to)

    def allow_signing(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` push images that are signed on arrival."""
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["signer:SignPayload"], resource_arns=[self.signing_profile_arn]
        )

    def _check(self, prefix: str, copies_to: Sequence[str]) -> None:
        if is_known(prefix) and (not _PREFIX.fullmatch(prefix) or len(prefix) not in _PREFIX_LENGTH):
            raise ConfigurationError(
                self, f"prefix must be 2 to 30 lower-case letters, digits and single separators, got {prefix!r}"
            )
        home = Stack.of(self).region
        for region in copies_to:
            if is_known(region) and not _REGION.fullmatch(region):
                raise ConfigurationError(self, f"copies_to must name regions such as 'eu-west-1', got {region!r}")
            if region == home:
                raise ConfigurationError(self, f"copies_to must name other regions, got this stack's own, {region!r}")
        if len(set(copies_to)) < len(copies_to):
            raise ConfigurationError(self, f"copies_to must name each region once, got {', '.join(copies_to)}")

    def _define_arrivals(self, kept_images: int) -> None:
        """How a repository is made that a copy is the first to need; KMS there would take a role of its own."""
        ecr.CfnRepositoryCreationTemplate(
            self,
            "Arrivals",
            applied_for=["REPLICATION"],
            prefix=self.prefix,
            description="Copies of serving images from other regions",
            image_tag_mutability="IMMUTABLE",
            lifecycle_policy=lifecycle_policy(self, kept_images),
        )

    def _define_copies(self, copies_to: Sequence[str]) -> None:
        property_ = ecr.CfnReplicationConfiguration
        ecr.CfnReplicationConfiguration(
            self,
            "Copies",
            replication_configuration=property_.ReplicationConfigurationProperty(
                rules=[
                    property_.ReplicationRuleProperty(
                        destinations=[
                            property_.ReplicationDestinationProperty(region=region, registry_id=Stack.of(self).account)
                            for region in copies_to
                        ],
                        repository_filters=[
                            property_.RepositoryFilterProperty(filter=f"{self.prefix}/", filter_type="PREFIX_MATCH")
                        ],
                    )
                ]
            ),
        )

"""The versions of one model, in a SageMaker model package group."""

import re
from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    ConfigurationError,
    acknowledge_wildcards,
    allowed,
    arn_of,
    grant_actions,
    is_known,
    principal_of,
    stack_of,
)
from mlplatform_cdk.registry.approval import ApprovalByRule, ApprovalRule

# SageMaker allows capitals in a group's name, but writes them in lower case into some ARNs, which IAM then compares.
_NAME = re.compile(r"[a-z0-9](-*[a-z0-9]){0,62}")
_REGISTER = ("sagemaker:AddTags", "sagemaker:CreateModelPackage")
_READ = ("sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages")  # the one names a version, the other a group
_APPROVE = ("sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage")
_VERSIONS = "the versions of one group, which come by runs"


class ModelRegistry(Construct):
    """Holds a model's versions, each with its lineage, its metrics and whether it may serve.

    :param model_package_group_name: the group's name: lower-case letters, digits and hyphens.
    :param auto_approve: approves good versions by itself; default: a person approves each.
    :param key: encrypts the logs of the approval; default: a key that AWS owns.
    :param removal_policy: what happens to the group when its stack goes; default: it is kept.
    """

    model_package_group_name: str

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        model_package_group_name: str,
        auto_approve: ApprovalRule | None = None,
        key: kms.IKey | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        stack_of.tell(self, stack_of(scope))
        name = model_package_group_name
        if is_known(name) and not _NAME.fullmatch(name):
            raise ConfigurationError(
                self,
                "model_package_group_name must be 1 to 63 lower-case letters, digits and inner hyphens, "
                f"got {name!r}; try 'churn'",
            )
        # No description: CloudFormation would replace the group for a new word of it, which its fixed name forbids.
        resource = sagemaker.CfnModelPackageGroup(self, "Resource", model_package_group_name=name)
        resource.apply_removal_policy(removal_policy)
        # The name as given, not the resource's reference: patterns and ARNs hold it, and it never changes.
        self.model_package_group_name = name
        self.approval = self._define_approval(auto_approve, key)

    @staticmethod
    def from_group_name(scope: Construct, id: str, name: str) -> "ModelRegistry":
        """A group that another stack owns; defines no resource.

        :param name: the group's name.
        """
        return _BorrowedRegistry(scope, id, name)

    @property
    def model_package_group_arn(self) -> str:
        """The group's ARN."""
        return arn_of(self, "sagemaker", f"model-package-group/{self.model_package_group_name}")

    @property
    def model_package_arns(self) -> str:
        """The ARNs of all its versions, as a pattern for policies."""
        return arn_of(self, "sagemaker", f"model-package/{self.model_package_group_name}/*")

    def grant_register(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` add versions, which wait for approval."""
        return self._grant(grantee, *_REGISTER)

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` list and describe the versions."""
        return self._grant(grantee, *_READ)

    def grant_describe(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` look at versions that it knows of, and list none."""
        return self._grant(grantee, "sagemaker:DescribeModelPackage")

    def grant_approve(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` look at versions, approve and reject them, and say which is in production."""
        return self._grant(grantee, *_APPROVE)

    def grant_update(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` change what is said of versions that it knows of, and look at none."""
        return self._grant(grantee, "sagemaker:UpdateModelPackage")

    def approved_pattern(self) -> events.EventPattern:
        """The events of a version that was approved."""
        return self._pattern("Approved")

    def pending_pattern(self) -> events.EventPattern:
        """The events of a version that waits for approval."""
        return self._pattern("PendingManualApproval")

    def live_rejected_pattern(self) -> events.EventPattern:
        """The events of the version in production, when it was rejected."""
        rejected = self._pattern("Rejected")
        live = {"ModelLifeCycle": {"Stage": ["Production"], "StageStatus": ["InService"]}}
        return events.EventPattern(
            source=rejected.source, detail_type=rejected.detail_type, detail={**(rejected.detail or {}), **live}
        )

    def _define_approval(self, rule: ApprovalRule | None, key: kms.IKey | None) -> ApprovalByRule | None:
        if rule is None:
            return None
        pending = self.pending_pattern()
        return ApprovalByRule(self, "Approval", rule=rule, pending=pending, key=key, access=[self.approving()])

    def _pattern(self, approval_status: str) -> events.EventPattern:
        return events.EventPattern(
            source=["aws.sagemaker"],
            detail_type=["SageMaker Model Package State Change"],
            detail={
                "ModelPackageGroupName": [self.model_package_group_name],
                "ModelApprovalStatus": [approval_status],
            },
        )

    def registering(self) -> Access:
        """What ``grant_register`` gives, as a value."""
        return self._access(_REGISTER)

    def reading(self) -> Access:
        """What ``grant_read`` gives, as a value."""
        return self._access(_READ)

    def approving(self) -> Access:
        """What ``grant_approve`` gives, as a value."""
        return self._access(_APPROVE)

    def _access(self, actions: Sequence[str]) -> Access:
        versions = self.model_package_arns
        return Access([allowed(actions, self.model_package_group_arn, versions)], patterns={versions: _VERSIONS})

    def _grant(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        principal = principal_of(grantee)
        if isinstance(principal, Construct):
            acknowledge_wildcards(principal, {self.model_package_arns: _VERSIONS})
        return grant_actions(grantee, actions, self.model_package_group_arn, self.model_package_arns)


class _BorrowedRegistry(ModelRegistry):
    def __init__(self, scope: Construct, id: str, name: str) -> None:
        Construct.__init__(self, scope, id)
        stack_of.tell(self, stack_of(scope))
        self.model_package_group_name = name
        self.approval = None

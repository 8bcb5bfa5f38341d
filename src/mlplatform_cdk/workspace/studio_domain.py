"""The Studio domain: notebooks inside the VPC, encrypted, which stop when nobody uses them."""

from collections.abc import Sequence
from typing import Literal

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    ConfigurationError,
    PlatformRole,
    acknowledge_wildcards,
    allowed,
    encrypting,
    hours,
    is_known,
    key_arn,
    require_ml_instance,
    role_arn,
    service_principal,
)
from mlplatform_cdk.foundation import JobNetwork
from mlplatform_cdk.workspace.access import studio_access, wildcards
from mlplatform_cdk.workspace.people import Space, UserProfile

_ONE_HOUR = hours(1)
_SHORTEST_IDLE, _LONGEST_IDLE = 60, 525_600
_DEFAULT_DISK, _GREATEST_DISK = 5, 100


class StudioDomain(Construct):
    """A domain whose traffic stays in the VPC, with its users and their JupyterLab and Code Editor spaces.

    :param domain_name: the domain's name.
    :param vpc_id: the VPC that it stands in.
    :param network: its subnets and security groups.
    :param key: encrypts the disks.
    :param authentication: ``IAM``, or ``SSO`` for Identity Center; default: IAM.
    :param users: who works here, and the spaces that they own; default: nobody yet.
    :param idle_timeout: an app that nobody used for so long is stopped; default: one hour.
    :param access: what people may do besides, such as ``reading(artifacts)``; default: nothing.
    :param removal_policy: what happens to the domain, its users and their spaces, whose disks hold their work, when
        its stack goes; default: they are kept.
    """

    def __init__(  # noqa: PLR0913 - each argument but the first four has a default
        self,
        scope: Construct,
        id: str,
        *,
        domain_name: str,
        vpc_id: str,
        network: JobNetwork,
        key: kms.IKey,
        authentication: Literal["IAM", "SSO"] = "IAM",
        users: Sequence[UserProfile] = (),
        idle_timeout: Duration = _ONE_HOUR,
        access: Sequence[Access] = (),
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        _check_people(self, users, sso=authentication == "SSO")
        self.execution_role = _execution_role(self, key, access)
        idle = _minutes(self, idle_timeout)
        resource = sagemaker.CfnDomain(
            self,
            "Resource",
            domain_name=domain_name,
            auth_mode=authentication,
            vpc_id=vpc_id,
            subnet_ids=list(network.subnet_ids),
            app_network_access_type="VpcOnly",
            kms_key_id=key.key_id,
            home_efs_file_system_creation="Disabled",
            tag_propagation="ENABLED",
            domain_settings=_domain_settings(network),
            default_user_settings=self._user_settings(network, idle),
            default_space_settings=self._space_settings(network, idle),
        )
        resource.apply_removal_policy(removal_policy)
        self.domain_id = resource.attr_domain_id
        self.user_names = tuple(user.name for user in users)
        self.space_names = tuple(space.name for user in users for space in user.spaces)
        self._define_access()
        for user in users:
            self._define_user(user, removal_policy)

    def _define_access(self) -> None:
        """A policy of its own: the domain names the role, so the role's own policy cannot name the domain."""
        policy = iam.ManagedPolicy(
            self,
            "Access",
            document=iam.PolicyDocument.from_json({"Statement": studio_access(self, self.domain_id)}),
            roles=[self.execution_role],
        )
        acknowledge_wildcards(policy, wildcards(self, self.domain_id))

    def _define_user(self, user: UserProfile, removal_policy: RemovalPolicy) -> None:
        profile = sagemaker.CfnUserProfile(
            self,
            f"User{user.name}",
            domain_id=self.domain_id,
            user_profile_name=user.name,
            single_sign_on_user_identifier="UserName" if user.single_sign_on_user else None,
            single_sign_on_user_value=user.single_sign_on_user,
        )
        profile.apply_removal_policy(removal_policy)
        for space in user.spaces:
            resource = sagemaker.CfnSpace(
                self,
                f"Space{space.name}",
                domain_id=self.domain_id,
                space_name=space.name,
                ownership_settings=sagemaker.CfnSpace.OwnershipSettingsProperty(owner_user_profile_name=user.name),
                space_sharing_settings=sagemaker.CfnSpace.SpaceSharingSettingsProperty(
                    sharing_type="Shared" if space.shared else "Private"
                ),
                space_settings=_space(space),
            )
            resource.apply_removal_policy(removal_policy)
            resource.add_resource_dependency(profile)

    def _user_settings(self, network: JobNetwork, minutes: int) -> sagemaker.CfnDomain.UserSettingsProperty:
        idle = _idle(minutes)
        return sagemaker.CfnDomain.UserSettingsProperty(
            execution_role=role_arn(self.execution_role),
            security_groups=list(network.security_group_ids),
            auto_mount_home_efs="Disabled",
            default_landing_uri="studio::",
            studio_web_portal="ENABLED",
            jupyter_lab_app_settings=sagemaker.CfnDomain.JupyterLabAppSettingsProperty(app_lifecycle_management=idle),
            code_editor_app_settings=sagemaker.CfnDomain.CodeEditorAppSettingsProperty(app_lifecycle_management=idle),
            space_storage_settings=_storage(),
        )

    def _space_settings(self, network: JobNetwork, minutes: int) -> sagemaker.CfnDomain.DefaultSpaceSettingsProperty:
        return sagemaker.CfnDomain.DefaultSpaceSettingsProperty(
            execution_role=role_arn(self.execution_role),
            security_groups=list(network.security_group_ids),
            jupyter_lab_app_settings=sagemaker.CfnDomain.JupyterLabAppSettingsProperty(
                app_lifecycle_management=_idle(minutes)
            ),
            space_storage_settings=_storage(),
        )


def _execution_role(scope: Construct, key: kms.IKey, access: Sequence[Access]) -> PlatformRole:
    """A role that SageMaker assumes in a person's name, and that hands the disks' key on to EBS."""
    sagemaker_itself = service_principal("sagemaker.amazonaws.com")
    for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    role = PlatformRole(
        scope,
        "ExecutionRole",
        assumed_by=sagemaker_itself,
        description="What people in Studio may do",
        access=[
            encrypting(key),
            Access([allowed(["kms:CreateGrant"], key_arn(key), conditions=for_aws)]),
            *access,
        ],
    )
    # The domain passes the person's name on, for CloudTrail; a role whose trust lacks this cannot be assumed then:
    # https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access-how-to.html
    trust = role.assume_role_policy
    assert trust is not None
    trust.add_statements(iam.PolicyStatement(principals=[sagemaker_itself], actions=["sts:SetSourceIdentity"]))
    return role


def _check_people(scope: Construct, users: Sequence[UserProfile], *, sso: bool) -> None:
    for user in users:
        if sso != (user.single_sign_on_user is not None):
            rule = "needs single_sign_on_user with SSO" if sso else "may have single_sign_on_user with SSO only"
            raise ConfigurationError(scope, f"the user {user.name!r} {rule}, got {user.single_sign_on_user!r}")
        for space in user.spaces:
            require_ml_instance(scope, f"the instance_type of the space {space.name!r}", space.instance_type)


def _minutes(scope: Construct, idle_timeout: Duration) -> int:
    minutes = idle_timeout.to_minutes()
    if is_known(minutes) and not _SHORTEST_IDLE <= minutes <= _LONGEST_IDLE:
        raise ConfigurationError(scope, f"idle_timeout must be from one hour to one year, got {minutes:g} minutes")
    return int(minutes)


def _domain_settings(network: JobNetwork) -> sagemaker.CfnDomain.DomainSettingsProperty:
    return sagemaker.CfnDomain.DomainSettingsProperty(
        security_group_ids=list(network.security_group_ids),
        # CloudTrail then names the person, not only the role.
        execution_role_identity_config="USER_PROFILE_NAME",
        docker_settings=sagemaker.CfnDomain.DockerSettingsProperty(enable_docker_access="DISABLED"),
    )


def _idle(minutes: int) -> sagemaker.CfnDomain.AppLifecycleManagementProperty:
    return sagemaker.CfnDomain.AppLifecycleManagementProperty(
        idle_settings=sagemaker.CfnDomain.IdleSettingsProperty(
            lifecycle_management="ENABLED", idle_timeout_in_minutes=minutes
        )
    )


def _storage() -> sagemaker.CfnDomain.DefaultSpaceStorageSettingsProperty:
    return sagemaker.CfnDomain.DefaultSpaceStorageSettingsProperty(
        default_ebs_storage_settings=sagemaker.CfnDomain.DefaultEbsStorageSettingsProperty(
            default_ebs_volume_size_in_gb=_DEFAULT_DISK, maximum_ebs_volume_size_in_gb=_GREATEST_DISK
        )
    )


def _space(space: Space) -> sagemaker.CfnSpace.SpaceSettingsProperty:
    resources = sagemaker.CfnSpace.ResourceSpecProperty(instance_type=space.instance_type)
    lab = sagemaker.CfnSpace.SpaceJupyterLabAppSettingsProperty(default_resource_spec=resources)
    editor = sagemaker.CfnSpace.SpaceCodeEditorAppSettingsProperty(default_resource_spec=resources)
    return sagemaker.CfnSpace.SpaceSettingsProperty(
        app_type=space.app,
        jupyter_lab_app_settings=lab if space.app == "JupyterLab" else None,
        code_editor_app_settings=editor if space.app == "CodeEditor" else None,
        space_storage_settings=sagemaker.CfnSpace.SpaceStorageSettingsProperty(
            ebs_storage_settings=sagemaker.CfnSpace.EbsStorageSettingsProperty(ebs_volume_size_in_gb=space.disk_gib)
        ),
    )

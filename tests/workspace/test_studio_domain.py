"""Where do people work, and what may they do there?"""

from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import JobNetwork
from mlplatform_cdk.workspace import Space, StudioDomain, UserProfile

NETWORK = JobNetwork(subnet_ids=("subnet-1", "subnet-2"), security_group_ids=("sg-1",))
ADA = UserProfile(
    name="ada",
    spaces=(
        Space(name="ada-lab", app="JupyterLab"),
        Space(name="team-editor", app="CodeEditor", shared=True, instance_type="ml.g4dn.xlarge", disk_gib=50),
    ),
)


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Workspace", env=Environment(account="123456789012", region="us-east-1"))


def studio(stack: Stack, **arguments: Any) -> StudioDomain:
    return StudioDomain(
        stack, "Studio", domain_name="lab", vpc_id="vpc-1", network=NETWORK, key=kms.Key(stack, "Key"), **arguments
    )


def space(stack: Stack, name: str) -> Mapping[str, Any]:
    spaces = Template.from_stack(stack).find_resources("AWS::SageMaker::Space")
    (found,) = (one["Properties"] for one in spaces.values() if one["Properties"]["SpaceName"] == name)
    return found


def test_notebooks_stay_in_the_vpc_and_are_encrypted_and_kept(stack: Stack) -> None:
    studio(stack)

    Template.from_stack(stack).has_resource(
        "AWS::SageMaker::Domain",
        {
            "DeletionPolicy": "Retain",
            "Properties": {
                "AppNetworkAccessType": "VpcOnly",
                "AuthMode": "IAM",
                "SubnetIds": ["subnet-1", "subnet-2"],
                "KmsKeyId": Match.any_value(),
            },
        },
    )


def test_an_app_that_nobody_uses_is_stopped(stack: Stack) -> None:
    studio(stack, idle_timeout=Duration.hours(2))

    idle = {"AppLifecycleManagement": {"IdleSettings": {"LifecycleManagement": "ENABLED", "IdleTimeoutInMinutes": 120}}}
    Template.from_stack(stack).has_resource_properties(
        "AWS::SageMaker::Domain",
        {
            "DefaultUserSettings": {"JupyterLabAppSettings": idle, "CodeEditorAppSettings": idle},
            "DefaultSpaceSettings": {"JupyterLabAppSettings": idle},
        },
    )


def test_no_app_is_defined_that_would_run_all_day(stack: Stack) -> None:
    studio(stack, users=[ADA])

    Template.from_stack(stack).resource_count_is("AWS::SageMaker::App", 0)


def test_a_private_space_belongs_to_its_owner(stack: Stack) -> None:
    studio(stack, users=[ADA])

    lab = space(stack, "ada-lab")
    assert lab["OwnershipSettings"] == {"OwnerUserProfileName": "ada"}
    assert lab["SpaceSharingSettings"] == {"SharingType": "Private"}
    assert lab["SpaceSettings"]["AppType"] == "JupyterLab"


def test_a_shared_space_is_open_to_all(stack: Stack) -> None:
    studio(stack, users=[ADA])

    editor = space(stack, "team-editor")
    assert editor["SpaceSharingSettings"] == {"SharingType": "Shared"}
    assert editor["SpaceSettings"]["CodeEditorAppSettings"]["DefaultResourceSpec"] == {"InstanceType": "ml.g4dn.xlarge"}
    assert editor["SpaceSettings"]["SpaceStorageSettings"] == {"EbsStorageSettings": {"EbsVolumeSizeInGb": 50}}


def test_with_identity_center_people_are_known_by_their_sign_on(stack: Stack) -> None:
    studio(stack, authentication="SSO", users=[UserProfile(name="ada", single_sign_on_user="ada@example.com")])

    Template.from_stack(stack).has_resource_properties(
        "AWS::SageMaker::UserProfile",
        {"SingleSignOnUserIdentifier": "UserName", "SingleSignOnUserValue": "ada@example.com"},
    )


def test_the_role_of_people_takes_on_their_names_and_starts_encrypted_disks(stack: Stack) -> None:
    studio(stack)

    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::SageMaker::Domain", {"DomainSettings": {"ExecutionRoleIdentityConfig": "USER_PROFILE_NAME"}}
    )
    (role,) = template.find_resources("AWS::IAM::Role").values()
    trusted = {
        action
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert trusted == {"sts:AssumeRole", "sts:SetSourceIdentity"}
    grant = {
        "Action": "kms:CreateGrant",
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        "Effect": "Allow",
    }
    template.has_resource_properties(
        "AWS::IAM::ManagedPolicy",
        {"PolicyDocument": {"Statement": Match.array_with([Match.object_like(grant)])}},
    )


def test_people_run_the_apps_of_their_own_and_of_shared_spaces_only(stack: Stack) -> None:
    studio(stack)

    policies = Template.from_stack(stack).find_resources(
        "AWS::IAM::ManagedPolicy", {"Properties": {"Roles": Match.any_value()}}
    )
    (policy,) = policies.values()
    apps = [
        statement["Condition"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "sagemaker:CreateApp" in statement["Action"]
    ]
    assert len(apps) == 3
    assert all(condition.keys() & {"ArnLike", "Null", "StringEquals"} for condition in apps)
    assert {"StringEquals": {"sagemaker:SpaceSharingType": ["Shared"]}} in apps


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(
            {"authentication": "SSO", "users": [ADA]},
            "the user 'ada' needs single_sign_on_user with SSO, got None",
            id="nobody knows whose profile it is",
        ),
        pytest.param(
            {"users": [UserProfile(name="ada", single_sign_on_user="ada@example.com")]},
            "the user 'ada' may have single_sign_on_user with SSO only, got 'ada@example.com'",
            id="IAM knows no sign-on",
        ),
        pytest.param(
            {"idle_timeout": Duration.minutes(30)},
            "idle_timeout must be from one hour to one year, got 30 minutes",
            id="SageMaker waits an hour at least",
        ),
        pytest.param(
            {
                "users": [
                    UserProfile(name="ada", spaces=(Space(name="x", app="JupyterLab", instance_type="t3.medium"),))
                ]
            },
            "the instance_type of the space 'x' must have the form 'ml.<family>.<size>', got 't3.medium'",
            id="an EC2 type",
        ),
    ],
)
def test_a_domain_that_could_never_deploy_is_refused(stack: Stack, arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        studio(stack, **arguments)

    assert str(error.value).startswith(f"[Workspace/Studio] {sentence}")


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: UserProfile(name="ada lovelace"), id="a user's name with a blank"),
        pytest.param(lambda: Space(name="-lab", app="JupyterLab"), id="a space's name that begins with a hyphen"),
        pytest.param(lambda: Space(name="lab", app="JupyterLab", disk_gib=4), id="a disk too small"),
    ],
)
def test_a_name_or_disk_that_sagemaker_would_refuse_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match=r"must be 1 to 63 letters|needs a disk_gib from 5 to 16384"):
        make()


def test_a_misspelt_app_is_answered_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="the space 'lab' needs an app of JupyterLab, CodeEditor, got 'Jupyter'"):
        Space(name="lab", app="Jupyter")

"""What a person may do in Studio: run the apps of their own spaces and of the shared ones, and nothing of others'.

After AWS's policy for users of spaces:
https://docs.aws.amazon.com/sagemaker/latest/dg/studio-updated-jl-admin-guide-permissions.html
"""

from collections.abc import Mapping

from constructs import Construct

from mlplatform_cdk.core import Statement, allowed, arn_of

_Conditions = Mapping[str, Mapping[str, str | list[str]]]
_APPS = ["sagemaker:CreateApp", "sagemaker:DeleteApp"]
_SPACES = ["sagemaker:CreateSpace", "sagemaker:DeleteSpace", "sagemaker:UpdateSpace"]
_DESCRIBE = [
    "sagemaker:DescribeApp",
    "sagemaker:DescribeDomain",
    "sagemaker:DescribeSpace",
    "sagemaker:DescribeUserProfile",
]
_LIST = ["sagemaker:ListApps", "sagemaker:ListDomains", "sagemaker:ListSpaces", "sagemaker:ListUserProfiles"]


def studio_access(scope: Construct, domain_id: str) -> list[Statement]:
    """The statements of the domain's execution role; SageMaker fills in who is asking.

    :param domain_id: the domain, whose resources alone they reach.
    """
    apps, spaces = _arn(scope, "app", domain_id, "*"), _arn(scope, "space", domain_id, "*")
    profiles = _arn(scope, "user-profile", domain_id, "*")
    me = _arn(scope, "user-profile", domain_id, "${sagemaker:UserProfileName}")
    mine: _Conditions = {"ArnLike": {"sagemaker:OwnerUserProfileArn": me}}
    nobodys: _Conditions = {"Null": {"sagemaker:OwnerUserProfileArn": "true"}}
    domain = _arn(scope, "domain", domain_id)
    return [
        _allow("OpenStudioAsMyself", ["sagemaker:CreatePresignedDomainUrl"], [me]),
        _allow("AppsWithoutOwner", _APPS, [apps], nobodys),
        _allow("AppsOfMyPrivateSpaces", _APPS, [apps], {**mine, **_sharing("Private")}),
        _allow("AppsOfSharedSpaces", _APPS, [apps], _sharing("Shared")),
        _allow("SpacesWithoutOwner", _SPACES, [spaces], nobodys),
        _allow("MySpaces", _SPACES, [spaces], {**mine, **_sharing("Private", "Shared")}),
        _allow("Describe", _DESCRIBE, [apps, domain, profiles, spaces]),
        _allow("List", _LIST, ["*"]),
        _allow("TagOnCreate", ["sagemaker:AddTags"], [apps, spaces], {"Null": {"sagemaker:TaggingAction": "false"}}),
    ]


def wildcards(scope: Construct, domain_id: str) -> dict[str, str]:
    """The patterns among the resources of ``studio_access``, each with its reason.

    :param domain_id: the domain.
    """
    people = "people make apps and spaces of this domain by themselves; conditions keep them to their own"
    return {
        **{_arn(scope, resource, domain_id, "*"): people for resource in ("app", "space", "user-profile")},
        "*": "the List calls take no resource",
    }


def _sharing(*types: str) -> _Conditions:
    return {"StringEquals": {"sagemaker:SpaceSharingType": list(types)}}


def _allow(sid: str, actions: list[str], resources: list[str], conditions: _Conditions | None = None) -> Statement:
    return allowed(actions, *resources, conditions=conditions, sid=sid)


def _arn(scope: Construct, resource: str, *names: str) -> str:
    return arn_of(scope, "sagemaker", "/".join((resource, *names)))

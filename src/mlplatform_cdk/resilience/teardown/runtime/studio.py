"""Stops what runs in Studio domains, and takes what people made there out of those that go."""

from collections.abc import Iterator, Mapping
from typing import Any

from mlplatform_cdk.resilience.teardown.runtime.door import answer_to
from mlplatform_cdk.resilience.teardown.runtime.rounds import DONE, Round, SecondsLeft
from mlplatform_cdk.resilience.teardown.runtime.settings import targets
from mlplatform_cdk.runtimekit import aws, logs

_LOG = logs.logger("teardown")
# SageMaker lists an app for a day after its end.
_GONE = ("Deleted",)
_GOING = ("Deleting",)


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Stop the apps, and delete what people made."""
    return answer_to(event, context, _work)


def _work(_seconds_left: SecondsLeft) -> Round:
    for domain in targets()["domains"]:
        left = list(_apps(domain["id"])) or (list(_made_by_people(domain)) if domain["goes"] else [])
        if left:
            return Round(waits_for=f"the end of {', '.join(left)} in the Studio domain {domain['id']}")
    return DONE


def _apps(domain: str) -> Iterator[str]:
    """Stop the apps; those that are not gone yet."""
    sagemaker = aws.client("sagemaker")
    for page in sagemaker.get_paginator("list_apps").paginate(DomainIdEquals=domain):
        for one in page["Apps"]:
            if one["Status"] in _GONE:
                continue
            yield f"the app {one['AppName']}"
            if one["Status"] not in _GOING:
                owner = {name: one[name] for name in ("SpaceName", "UserProfileName") if one.get(name)}
                _LOG.info("stopping", extra={"app": one["AppName"], **owner})
                sagemaker.delete_app(DomainId=domain, AppType=one["AppType"], AppName=one["AppName"], **owner)


def _made_by_people(domain: Mapping[str, Any]) -> Iterator[str]:
    """Delete the spaces, and then the profiles, that the template does not know; those that are not gone yet."""
    spaces = list(_spaces(domain["id"], domain["spaces"]))
    yield from spaces or _profiles(domain["id"], domain["users"])


def _spaces(domain: str, known: list[str]) -> Iterator[str]:
    sagemaker = aws.client("sagemaker")
    for page in sagemaker.get_paginator("list_spaces").paginate(DomainIdEquals=domain):
        for one in page["Spaces"]:
            if one["SpaceName"] not in known:
                yield f"the space {one['SpaceName']}"
                if one["Status"] not in _GOING:
                    sagemaker.delete_space(DomainId=domain, SpaceName=one["SpaceName"])


def _profiles(domain: str, known: list[str]) -> Iterator[str]:
    sagemaker = aws.client("sagemaker")
    for page in sagemaker.get_paginator("list_user_profiles").paginate(DomainIdEquals=domain):
        for one in page["UserProfiles"]:
            if one["UserProfileName"] not in known:
                yield f"the user {one['UserProfileName']}"
                if one["Status"] not in _GOING:
                    sagemaker.delete_user_profile(DomainId=domain, UserProfileName=one["UserProfileName"])

"""``mlplatform release abort`` and ``rollback``: the two ways back that a person can start."""

from rich.markup import escape

from mlplatform_cdk.cli.console import OUT
from mlplatform_cdk.cli.release.options import (
    Endpoint,
    EndpointUrl,
    Follow,
    Profile,
    Reason,
    Region,
    caller,
    cloud,
    refuse,
)
from mlplatform_cdk.cli.release.place import find, meant, running, start
from mlplatform_cdk.cli.release.status import follow_release
from mlplatform_cdk.runtimekit import aws, release_facts

ABORTED = "Release.Aborted"  # the error by which the machine's recovery knows who ended it


def abort(
    endpoint: Endpoint = None,
    reason: Reason = "",
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Stop the release that runs; the traffic goes back to the version before it."""
    with cloud(region, profile, endpoint_url):
        address = find(endpoint)
        execution = running(address)
        if execution is None:
            after = "of each stop's endpoint" if address.is_train else ""
            refuse(
                f"no release of {address.endpoint} runs; after its end, take it back by: mlplatform release rollback "
                f"{after}".rstrip()
            )
        if execution.action not in ("release", "") and not execution.releases:
            refuse(f"what runs is a {execution.action}, which goes back by itself; it is not to be stopped")
        aws.client("stepfunctions").stop_execution(
            executionArn=execution.arn, error=ABORTED, cause=f"{caller()}: {reason or 'no reason given'}"
        )
        name = release_facts.execution_name(execution.arn)
        then = "the releases that it has begun go on" if address.is_train else "its recovery takes the traffic back"
        OUT.print(escape(f"stopped {name}; {then}"), soft_wrap=True)


def rollback(
    endpoint: Endpoint = None,
    reason: Reason = "",
    follow: Follow = False,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Take the live version back: to the one that is kept beside it, else by a release of the one before it."""
    with cloud(region, profile, endpoint_url):
        address = find(endpoint)
        if address.is_train:
            refuse(f"{address.endpoint} is a train; take back each of its stops' endpoints, where that is")
        request = {"action": "rollback", "by": "hand", "who": caller(), "reason": reason or "no reason given"}
        # By its name, so that a way back that is under way already is not followed by one of the version before.
        version = meant(address)
        arn = start(address, request | ({"model_package_arn": version} if version else {}))
        what = f" for {release_facts.label(version)}" if version else ""
        OUT.print(escape(f"started {arn}{what}"), soft_wrap=True)
        if follow:
            follow_release(address, arn, as_json=False)

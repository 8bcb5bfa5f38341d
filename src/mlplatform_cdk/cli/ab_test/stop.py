"""``mlplatform ab-test stop``: the test ends, and the endpoint is as it was before."""

import os

from rich.markup import escape

from mlplatform_cdk.cli.ab_test.view import Name, find, running
from mlplatform_cdk.cli.console import OUT
from mlplatform_cdk.cli.release.options import EndpointUrl, Profile, Reason, Region, caller, cloud, refuse
from mlplatform_cdk.runtimekit import aws, release_records
from mlplatform_cdk.runtimekit.release_records import BUS_VARIABLE

STOPPED = "ABTest.Stopped"


def stop(
    test: Name = None,
    reason: Reason = "",
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """End the test that runs; its recovery gives the requests back, and no winner is named."""
    with cloud(region, profile, endpoint_url):
        address = find(test)
        execution = running(address)
        if not execution:
            refuse(f"the A/B test {address.name} does not run")
        who, why = caller(), reason or "no reason given"
        aws.client("stepfunctions").stop_execution(executionArn=execution, error=STOPPED, cause=f"{who}: {why}")
        os.environ[BUS_VARIABLE] = address.bus
        release_records.record(
            address.records,
            endpoint=address.endpoint,
            release=execution,
            version="",
            step="ABTestStop",
            who=who,
            decision="stopped by hand",
            reason=why,
        )
        OUT.print(escape(f"stopped {address.name}; its recovery gives the requests back"), soft_wrap=True)

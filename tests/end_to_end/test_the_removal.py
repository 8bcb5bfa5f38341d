"""When the stacks go, does anything stay that still costs money or answers?"""

import psutil
import pytest

from mlplatform_cdk.local import deploy, server
from tests.end_to_end.rehearsal import Rehearsal


def empty(rehearsal: Rehearsal, bucket: str) -> None:
    """Remove every version of every object, as people must before they remove a bucket."""
    s3 = rehearsal.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])


def serving_processes(rehearsal: Rehearsal) -> list[psutil.Process]:
    """The containers of endpoints."""
    running = server.running(rehearsal.settings.state_dir)
    children = psutil.Process(running.pid).children(recursive=True)
    return [one for one in children if "mlplatform_cdk.serving.container" in one.cmdline()]


@pytest.fixture(scope="module")
def refusal(last_rehearsal: Rehearsal) -> str:
    """What the removal says while there is data."""
    assert serving_processes(last_rehearsal)
    with pytest.raises(deploy.DeploymentFailed) as refused:
        deploy.destroy(last_rehearsal.assembly, last_rehearsal.settings)
    return str(refused.value)


@pytest.fixture(scope="module")
def destroyed(last_rehearsal: Rehearsal, refusal: str) -> list[str]:
    """What is left of the stacks after their buckets were emptied."""
    for name in ("data/lake-bucket", "foundation/artifacts-bucket"):
        empty(last_rehearsal, last_rehearsal.platform.parameter(name))
    deploy.destroy(last_rehearsal.assembly, last_rehearsal.settings)
    stacks = last_rehearsal.client("cloudformation").describe_stacks()["Stacks"]
    return [one["StackName"] for one in stacks if one["StackName"].startswith("MlPlatform-Dev-")]


def test_data_is_not_removed_in_passing(last_rehearsal: Rehearsal, refusal: str) -> None:
    assert refusal.startswith("MlPlatform-Dev-Data: ")
    assert "The bucket you tried to delete is not empty" in refusal


def test_all_stacks_of_the_environment_go(destroyed: list[str]) -> None:
    assert destroyed == []


def test_no_endpoint_configuration_or_model_of_a_release_stays(last_rehearsal: Rehearsal, destroyed: list[str]) -> None:
    sagemaker = last_rehearsal.client("sagemaker")

    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    assert sagemaker.list_models()["Models"] == []
    targets = last_rehearsal.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    assert targets["ScalableTargets"] == []


def test_no_process_of_an_endpoint_stays(last_rehearsal: Rehearsal, destroyed: list[str]) -> None:
    assert serving_processes(last_rehearsal) == []

"""Does a teardown run before what it clears, and never for what is kept?"""

from typing import Any

import pytest
from aws_cdk import RemovalPolicy
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import AccessLogs, ArtifactStore, Keys
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.resilience.teardown import Teardown
from tests.resilience.building import stack_in

DESTROY, RETAIN = RemovalPolicy.DESTROY, RemovalPolicy.RETAIN


@pytest.fixture(scope="module")
def resources() -> dict[str, dict[str, Any]]:
    """A stack with one bucket and one registry that go, and one of each that stays."""
    stack = stack_in()
    key = Keys(stack, "Keys").data
    logs = AccessLogs(stack, "AccessLogs", removal_policy=DESTROY)
    kept = ArtifactStore(stack, "Kept", key=key, access_logs=logs, removal_policy=RETAIN)
    gone = ArtifactStore(stack, "Gone", key=key, access_logs=logs, removal_policy=DESTROY)
    groups = [
        ModelRegistry(stack, f"Models{name}", model_package_group_name=name, removal_policy=policy)
        for name, policy in (("kept", RETAIN), ("gone", DESTROY))
    ]
    Teardown(stack, "Teardown", key=key, registries=groups, buckets=[kept, gone, logs])
    found: dict[str, dict[str, Any]] = Template.from_stack(stack).to_json()["Resources"]
    return found


def named(resources: dict[str, dict[str, Any]], beginning: str, kind: str) -> tuple[str, dict[str, Any]]:
    ((name, one),) = (
        (name, one) for name, one in resources.items() if name.startswith(beginning) and one["Type"] == kind
    )
    return name, one


def test_it_runs_before_its_bucket_is_deleted_and_after_the_policy_is(resources: dict[str, dict[str, Any]]) -> None:
    cleaner, resource = named(resources, "TeardownBuckets", "Custom::Teardown")
    bucket, _ = named(resources, "Gone", "AWS::S3::Bucket")
    _, policy = named(resources, "Gone", "AWS::S3::BucketPolicy")

    assert bucket in resource["DependsOn"]
    assert cleaner in policy["DependsOn"]


def test_what_waits_for_nobody_has_a_function_and_no_machine(resources: dict[str, dict[str, Any]]) -> None:
    _, resource = named(resources, "TeardownBuckets", "Custom::Teardown")
    function, _ = named(resources, "TeardownBucketsFunction", "AWS::Lambda::Function")

    assert resource["Properties"]["ServiceToken"] == {"Fn::GetAtt": [function, "Arn"]}
    assert resource["Properties"]["ServiceTimeout"] == "1200"
    assert "AWS::StepFunctions::StateMachine" not in {one["Type"] for one in resources.values()}


def test_it_may_reach_nothing_that_is_kept(resources: dict[str, dict[str, Any]]) -> None:
    kept, _ = named(resources, "Kept", "AWS::S3::Bucket")
    gone, _ = named(resources, "Gone", "AWS::S3::Bucket")
    said = {name: str(one) for name, one in resources.items() if name.startswith("Teardown")}

    assert not [name for name, text in said.items() if f"'{kept}'" in text or "model-package/kept" in text]
    assert [name for name, text in said.items() if f"'{gone}'" in text]
    assert [name for name, text in said.items() if "model-package/gone/*" in text]


def test_versions_go_before_objects(resources: dict[str, dict[str, Any]]) -> None:
    _, registries = named(resources, "TeardownRegistries", "Custom::Teardown")
    buckets, _ = named(resources, "TeardownBuckets", "Custom::Teardown")

    assert buckets in registries["DependsOn"]


def test_what_is_kept_only_after_the_teardown_was_made_is_refused() -> None:
    stack = stack_in()
    key = Keys(stack, "Keys").data
    bucket = ArtifactStore(stack, "Bucket", key=key, removal_policy=DESTROY)
    Teardown(stack, "Teardown", key=key, buckets=[bucket])

    bucket.apply_removal_policy(RETAIN)

    with pytest.raises(
        RuntimeError, match="Bucket/Resource must still be deleted with its stack, as when the teardown"
    ):
        Template.from_stack(stack)


def test_where_all_is_kept_it_defines_nothing() -> None:
    stack = stack_in()
    key = Keys(stack, "Keys").data
    bucket = ArtifactStore(stack, "Kept", key=key, removal_policy=RETAIN)

    Teardown(stack, "Teardown", key=key, buckets=[bucket])

    Template.from_stack(stack).resource_count_is("AWS::Lambda::Function", 0)


def test_a_bucket_of_another_stack_is_not_emptied() -> None:
    stack = stack_in()
    key = Keys(stack, "Keys").data
    borrowed = s3.Bucket.from_bucket_name(stack, "Theirs", "theirs")

    with pytest.raises(ConfigurationError, match="what its own stack makes, got the borrowed Stack/Theirs"):
        Teardown(stack, "Teardown", key=key, buckets=[borrowed])  # type: ignore[list-item]

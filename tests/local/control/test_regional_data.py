"""Do the stacks of two regions' data stand in the embedded AWS, in their order, and go again?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk import App, Environment, RemovalPolicy

from mlplatform_cdk.assembly.reader import read
from mlplatform_cdk.foundation import PlatformStack
from mlplatform_cdk.local.deploy import deploy, destroy
from mlplatform_cdk.local.settings import Settings
from mlplatform_cdk.routing import (
    ImageReplication,
    ModelReplication,
    RegionalArtifacts,
    RegionalData,
    RegionalKey,
    ReplicatedImages,
    StateTable,
)

HOME, THERE = "eu-west-1", "us-east-1"
GONE = RemovalPolicy.DESTROY


def synthesize(folder: Path, account: str) -> RegionalData:
    plan = RegionalData(name="regional", home=HOME, account=account, regions=[HOME, THERE])
    app = App(outdir=str(folder))
    stacks = {}
    for region in (THERE, HOME):
        stack = stacks[region] = PlatformStack(app, f"Data-{region}", env=Environment(account=account, region=region))
        key = RegionalKey(stack, "Key", plan=plan, removal_policy=GONE).key
        store = RegionalArtifacts(stack, "Artifacts", plan=plan, key=key, removal_policy=GONE)
        if region == THERE:
            ReplicatedImages(stack, "Images", plan=plan, prefixes=["regional/"], key=key)
            continue
        ModelReplication(stack, "Replication", plan=plan, source=store)
        ImageReplication(stack, "Images", plan=plan, prefixes=["regional/"])
        StateTable(stack, "Answered", plan=plan, name="answered", partition_key="request", removal_policy=GONE)
    stacks[HOME].add_stack_dependency(stacks[THERE])
    app.synth()
    return plan


def client(aws: Settings, service: str, region: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=aws.endpoint_url,
        region_name=region,
        aws_access_key_id=aws.account,
        aws_secret_access_key="embedded",
    )


def test_the_other_regions_stand_first_and_the_home_replicates_to_the_names_that_they_have(
    aws: Settings, tmp_path: Path
) -> None:
    plan = synthesize(tmp_path, aws.account)
    assembly = read(tmp_path)

    report = deploy(assembly, aws)
    s3 = client(aws, "s3", HOME)
    configuration = s3.get_bucket_replication(Bucket=plan.bucket_name(HOME))["ReplicationConfiguration"]
    (rule,) = configuration["Rules"]
    buckets = {one["Name"] for one in s3.list_buckets()["Buckets"]}
    table = client(aws, "dynamodb", HOME).describe_table(TableName=plan.table_name("answered"))["Table"]
    aliases = client(aws, "kms", THERE).list_aliases()["Aliases"]
    destroy(assembly, aws)

    assert [stack.name for stack in report.stacks] == [f"Data-{THERE}", f"Data-{HOME}"]
    assert (configuration["Role"], rule["Destination"]["Bucket"]) == (plan.role_arn, plan.bucket_arn(THERE))
    assert {plan.bucket_name(HOME), plan.bucket_name(THERE)} <= buckets
    assert table["SSEDescription"]["SSEType"] == "KMS"
    assert plan.key_alias in {one["AliasName"] for one in aliases}
    with pytest.raises(client(aws, "dynamodb", HOME).exceptions.ResourceNotFoundException):
        client(aws, "dynamodb", HOME).describe_table(TableName=plan.table_name("answered"))
    left = {one["Name"] for one in s3.list_buckets()["Buckets"]}
    assert not {plan.bucket_name(HOME), plan.bucket_name(THERE)} & left

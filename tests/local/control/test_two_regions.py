"""Does the platform stand in two regions of the embedded AWS, in its order, and go again?"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
from aws_cdk import App

from mlplatform_cdk.assembly import teardown
from mlplatform_cdk.assembly.cost import Usage, packaged
from mlplatform_cdk.assembly.reader import Assembly, read
from mlplatform_cdk.local.deploy import deploy, destroy
from mlplatform_cdk.local.settings import Settings
from stacks.environments import PROD
from stacks.stage import PlatformStage
from tests.end_to_end.leftovers import leftovers, unlisted

ROOT = Path(__file__).parents[3]
HOME, ELSEWHERE, NAMES = "eu-west-1", "eu-central-1", "us-east-1"
# They stand at home alone, and the demo's path deploys them; all else is here.
OF_ONE_REGION = ("Data", "Training", "Workspace")


def synthesize(folder: Path, account: str) -> Assembly:
    app = App(context=json.loads((ROOT / "cdk.json").read_text())["context"], outdir=str(folder))
    PlatformStage(app, "MlPlatform-Prod", environment=replace(PROD, account=account))
    app.synth()
    (stage,) = read(folder).stages
    return replace(stage, stacks=tuple(one for one in stage.stacks if not one.name.endswith(OF_ONE_REGION)))


def test_what_production_has_in_both_regions_stands_in_its_order_and_goes_again(aws: Settings, tmp_path: Path) -> None:
    assembly = synthesize(tmp_path, aws.account)

    def client(service: str, region: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=aws.endpoint_url,
            region_name=region,
            aws_access_key_id=aws.account,
            aws_secret_access_key="embedded",
        )

    def records() -> set[tuple[str, str]]:
        assert PROD.zone is not None
        found = client("route53", HOME).list_resource_record_sets(HostedZoneId=PROD.zone.hosted_zone_id)
        return {(one["Name"], one.get("SetIdentifier", "")) for one in found["ResourceRecordSets"]}

    def station(region: str) -> Any:
        found = client("ssm", region).get_parameter(Name="/mlplatform/train/prod-breast-cancer")
        return json.loads(found["Parameter"]["Value"])

    def standing() -> set[str]:
        pages = (client("cloudformation", region).describe_stacks()["Stacks"] for region in (HOME, ELSEWHERE, NAMES))
        return {one["StackName"] for page in pages for one in page}

    report = deploy(assembly, aws)
    names, stations = records(), {region: station(region) for region in (HOME, ELSEWHERE)}
    replication = client("s3", HOME).get_bucket_replication(Bucket=stations[HOME]["bucket"])
    destroy(assembly, aws)

    order = [stack.name.removeprefix("MlPlatform-Prod-") for stack in report.stacks]
    assert order[:2] == [f"Foundation-{ELSEWHERE}", "Foundation"]
    assert order[-2:] == ["Names", "Train"]
    assert {(f"{PROD.domain_name}.", region) for region in (HOME, ELSEWHERE)} <= names
    (rule,) = replication["ReplicationConfiguration"]["Rules"]
    assert rule["Destination"]["Bucket"].rpartition(":")[2] == stations[ELSEWHERE]["bucket"]
    assert all(f":states:{region}:" in found["machine"] for region, found in stations.items())
    assert records() == set()
    assert not {stack.name for stack in report.stacks} & standing()
    left = {one for region in (HOME, ELSEWHERE, NAMES) for one in leftovers(lambda name: client(name, region))}  # noqa: B023
    ours = {one for one in left if any(words in one[1].lower() for words in ("mlplatform-prod", "prod-breast-cancer"))}
    kept = teardown.plan(assembly, packaged(), Usage()).kept
    assert unlisted(ours, kept) == []
    assert {one[0] for one in ours} == {
        "AWS::DynamoDB::Table",
        "AWS::ECR::Repository",
        "AWS::S3::Bucket",
        "AWS::SageMaker::ModelPackageGroup",
    }

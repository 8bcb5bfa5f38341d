"""Do staging and both regions of production stand whole in the embedded AWS, serve, and go, leaving what is listed?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from aws_cdk import App

from mlplatform_cdk.assembly import Assembly, read, teardown
from mlplatform_cdk.assembly.cost import Usage, packaged
from mlplatform_cdk.local import server
from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.local.deploy import deploy, destroy
from mlplatform_cdk.local.settings import Settings
from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME
from stacks.environments import PROD, STAGING
from stacks.stage import PlatformStage
from tests.end_to_end.leftovers import Leftover, leftovers, missing, unlisted, unseen
from tests.release import platforms
from tests.serving import small_models

ROOT = Path(__file__).parents[3]
HOME, ELSEWHERE, NAMES = REGIONS = "eu-west-1", "eu-central-1", "us-east-1"
GROUP = ENDPOINT = "prod-breast-cancer"
PATIENCE_S = 60.0
# What nothing has written to: no job ran, and staging's endpoint had no version.
NEVER_WRITTEN = {"/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TrainingJobs"}
NEVER_WRITTEN |= {"/aws/sagemaker/Endpoints/staging-breast-cancer"}


@dataclass
class Stay:
    """What was seen of both environments, before they went and after."""

    assembly: Assembly
    plan: teardown.Plan
    came: list[str] = field(default_factory=list)
    records: set[tuple[str, str]] = field(default_factory=set)
    replicated_to: list[str] = field(default_factory=list)
    stations: dict[str, dict[str, Any]] = field(default_factory=dict)
    train: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    went: list[str] = field(default_factory=list)
    records_after: set[tuple[str, str]] = field(default_factory=set)
    processes_after: list[str] = field(default_factory=list)
    standing: set[str] = field(default_factory=set)
    left: dict[str, set[Leftover]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def stay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stay]:
    """Both environments in one account: deployed, used, and destroyed in the order of ``cdk destroy``."""
    settings = Settings(
        state_dir=tmp_path_factory.mktemp("aws"),
        account=PROD.account,
        region=HOME,
        clock_factor=0.02,
        longest_wait_s=0.2,
    )
    assembly = synthesize(tmp_path_factory.mktemp("assembly") / "cdk.out")
    model = small_models.save(tmp_path_factory.mktemp("model") / "model")
    seen = Stay(assembly, teardown.plan(assembly, packaged(), Usage()))
    with server.start(settings) as started:
        aws = Administrator(started.settings)
        seen.came = [one.name for one in deploy(assembly, started.settings).stacks]
        look_around(aws, seen)
        approve(aws, seen, model, "run-1")
        follow_the_train(aws, seen)
        leave_things(aws)
        approve(aws, seen, model, "run-2")
        running(aws, parameter(aws, "/mlplatform/prod/serving/release-arn"))
        seen.went = [one.name for one in destroy(assembly, started.settings).stacks]
        look_back(aws, seen)
        children = psutil.Process(started.pid).children(recursive=True)
        seen.processes_after = [" ".join(one.cmdline()) for one in children]
        yield seen


def synthesize(folder: Path) -> Assembly:
    app = App(context=json.loads((ROOT / "cdk.json").read_text())["context"], outdir=str(folder))
    for environment in (STAGING, PROD):
        place = replace(environment, account=PROD.account)
        PlatformStage(app, f"MlPlatform-{place.name.capitalize()}", environment=place)
    app.synth()
    return read(folder)


def records(aws: Administrator) -> set[tuple[str, str]]:
    assert PROD.zone is not None
    found = aws.client("route53").list_resource_record_sets(HostedZoneId=PROD.zone.hosted_zone_id)
    return {(one["Name"], one.get("SetIdentifier", "")) for one in found["ResourceRecordSets"]}


def parameter(aws: Administrator, name: str, region: str = HOME) -> str:
    value: str = aws.client("ssm", region).get_parameter(Name=name)["Parameter"]["Value"]
    return value


def look_around(aws: Administrator, seen: Stay) -> None:
    """What the stacks have made, where a mistake would not stop a deployment."""
    seen.records = records(aws)
    for region in (HOME, ELSEWHERE):
        seen.stations[region] = json.loads(parameter(aws, f"/mlplatform/train/{ENDPOINT}", region))
    found = aws.client("s3").get_bucket_replication(Bucket=seen.stations[HOME]["bucket"])
    rules = found["ReplicationConfiguration"]["Rules"]
    seen.replicated_to = [one["Destination"]["Bucket"].rpartition(":")[2] for one in rules]


def approve(aws: Administrator, seen: Stay, model: Path, run: str) -> None:
    """A new version, which somebody approves; that sends the train off, to the home first."""
    version = platforms.register(
        aws,
        run,
        group=GROUP,
        bucket=seen.stations[HOME]["bucket"],
        image=image_of(seen.assembly),
        archive=platforms.packed(model),
        manifest=(model / MANIFEST_NAME).read_bytes(),
    )
    aws.client("sagemaker").update_model_package(ModelPackageArn=version, ModelApprovalStatus="Approved")


def follow_the_train(aws: Administrator, seen: Stay) -> None:
    """To its end, and then ask the endpoints."""
    train = running(aws, parameter(aws, "/mlplatform/prod/train/machine-arn"))
    seen.train = platforms.end_of(aws, train, patience_s=PATIENCE_S)
    body = json.dumps({"inputs": {"x": small_models.rows(1).tolist()}})
    for region in (HOME, ELSEWHERE):
        ask = aws.client("sagemaker-runtime", region).invoke_endpoint
        answer = ask(EndpointName=ENDPOINT, ContentType="application/json", Body=body)
        seen.answers[region] = answer["ResponseMetadata"]["HTTPStatusCode"]


def running(aws: Administrator, machine: str) -> str:
    """The execution that runs, once one does."""
    executions = aws.client("stepfunctions").list_executions
    (found,) = platforms.until(
        lambda: executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"], PATIENCE_S
    )
    arn: str = found["executionArn"]
    return arn


def image_of(assembly: Assembly) -> str:
    """The serving image of the home, as its pipeline registers versions with it."""
    (train,) = (one for one in assembly.all_stacks() if one.name == "MlPlatform-Prod-Train")
    _, (image,) = train.assets(account=PROD.account, region=HOME)
    return f"{PROD.account}.dkr.ecr.{HOME}.amazonaws.com/{image.repository}:{image.tag}"


def leave_things(aws: Administrator) -> None:
    """Objects and half an upload in every bucket, and somebody's app in every space."""
    s3, sagemaker = aws.client("s3"), aws.client("sagemaker")
    for bucket in (one["Name"] for one in s3.list_buckets()["Buckets"] if one["Name"].startswith("mlplatform-")):
        s3.put_object(Bucket=bucket, Key="left/behind", Body=b"{}")
        s3.create_multipart_upload(Bucket=bucket, Key="left/half")
    for space in sagemaker.list_spaces()["Spaces"]:
        kind = sagemaker.describe_space(DomainId=space["DomainId"], SpaceName=space["SpaceName"])["SpaceSettings"]
        app = {"AppType": kind["AppType"], "AppName": "default"}
        sagemaker.create_app(DomainId=space["DomainId"], SpaceName=space["SpaceName"], **app)


def look_back(aws: Administrator, seen: Stay) -> None:
    """Everything that is there, in every region; the account had nothing before."""
    seen.records_after = records(aws)
    for region in REGIONS:
        stacks = aws.client("cloudformation", region).describe_stacks()["Stacks"]
        seen.standing |= {one["StackName"] for one in stacks}
        seen.left[region] = leftovers(lambda service: aws.client(service, region))  # noqa: B023 -- called at once


def test_every_stack_comes_after_those_that_it_needs_and_goes_in_the_order_of_the_plan(stay: Stay) -> None:
    production = [name.removeprefix("MlPlatform-Prod-") for name in stay.came if "-Prod-" in name]

    assert set(stay.came) == {one.name for one in stay.assembly.all_stacks()}
    assert production[:2] == [f"Foundation-{ELSEWHERE}", "Foundation"]
    assert production[-2:] == ["Names", "Train"]
    assert stay.went == [one.stack for one in stay.plan.steps]
    assert stay.standing == set()


def test_the_regions_know_one_another_and_one_name_leads_to_both(stay: Stay) -> None:
    assert {(f"{PROD.domain_name}.", region) for region in (HOME, ELSEWHERE)} <= stay.records
    assert stay.replicated_to == [stay.stations[ELSEWHERE]["bucket"]]
    assert all(f":states:{region}:" in found["machine"] for region, found in stay.stations.items())


def test_the_train_over_productions_stations_brings_an_approved_version_to_both_regions(stay: Stay) -> None:
    assert stay.train["status"] == "SUCCEEDED", stay.train.get("cause")
    assert stay.answers == {HOME: 200, ELSEWHERE: 200}


@pytest.mark.parametrize("region", REGIONS)
def test_what_is_left_is_what_the_plan_lists_by_name(stay: Stay, region: str) -> None:
    kept = [one for one in stay.plan.kept if one.region == region]

    assert unlisted(stay.left[region], kept) == []
    assert missing(stay.left[region], kept) - NEVER_WRITTEN == set()


def test_with_the_names_goes_their_key_which_encrypted_messages_alone(stay: Stay) -> None:
    assert {kind for kind, _ in stay.left[NAMES]} == {"AWS::S3::Bucket"}
    assert {one.type for one in stay.plan.kept if one.region == NAMES} == {"bucket of assets"}


def test_no_record_and_no_process_stays(stay: Stay) -> None:
    assert stay.records_after == set()
    assert [one for one in stay.processes_after if "mlplatform_cdk.serving.container" in one] == []


def test_all_that_could_cost_money_was_looked_for(stay: Stay) -> None:
    assert unseen(one.template for one in stay.assembly.all_stacks()) == set()

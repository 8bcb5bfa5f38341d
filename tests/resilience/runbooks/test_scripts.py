"""Do the runbooks' scripts look rightly, and change what they say?"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.resilience.runbooks.runtime import copies, inside, others, rebuilding, scaling
from mlplatform_cdk.resilience.runbooks.runtime import rows as restored
from mlplatform_cdk.routing.health_probe.runtime.metrics import NAMESPACE

REGION = "eu-west-1"
NAMES = {"Region": REGION, "Names": "{region}.models.example.com"}
INSIDE = {"Region": REGION, "Domain": "models.example.com"}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


def test_a_region_is_drained_where_another_one_serves_and_the_last_one_only_if_that_is_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serving = {"eu-central-1.models.example.com"}
    monkeypatch.setattr(others, "_regions_beside", lambda _: [REGION, "eu-central-1", "us-east-1"])
    monkeypatch.setattr(others, "_is_serving", serving.__contains__)

    assert others.look({**NAMES, "EvenTheLast": "no"}, None)["Serving"] == "eu-central-1"
    serving.clear()
    with pytest.raises(RuntimeError, match="another region must be in service, and none is: eu-west-1 is the last"):
        others.look({**NAMES, "EvenTheLast": "no"}, None)
    assert others.look({**NAMES, "EvenTheLast": "yes"}, None)["Serving"] == "none"


def probe_saw(others: int, *, minutes: float) -> None:
    """A round of the region's probe, in the minute that was ``minutes`` ago."""
    client, now = boto3.client("cloudwatch"), datetime.now(UTC) - timedelta(minutes=minutes)
    dimensions = [{"Name": "Domain", "Value": INSIDE["Domain"]}, {"Name": "Region", "Value": REGION}]
    told = {"MetricName": "OthersInService", "Dimensions": dimensions, "Timestamp": now, "Value": others}
    client.put_metric_data(Namespace=NAMESPACE, MetricData=[told])


def test_behind_private_names_a_region_is_drained_where_its_own_probe_has_just_seen_another_one_serve(
    aws: None,
) -> None:
    refused = pytest.raises(RuntimeError, match="another region must be in service, and the probe of eu-west-1 has")

    probe_saw(1, minutes=20)
    with refused:
        inside.look({**INSIDE, "EvenTheLast": "no"}, None)
    probe_saw(2, minutes=3)
    assert inside.look({**INSIDE, "EvenTheLast": "no"}, None)["Serving"] == "2 of the others"
    probe_saw(0, minutes=1)
    with refused:
        inside.look({**INSIDE, "EvenTheLast": "no"}, None)
    assert inside.look({**INSIDE, "EvenTheLast": "yes"}, None)["Serving"] == "none"


def test_a_name_that_leads_nowhere_serves_nobody() -> None:
    assert others._is_serving("eu-west-1.models.invalid") is False


class Endpoint:
    """SageMaker, as far as a rebuild and a scaling ask."""

    def __init__(self, *statuses: str, variants: list[tuple[str, float]] | None = None) -> None:
        self.statuses, self.deleted = [*statuses], False
        self.variants = variants or [("a", 1.0), ("b", 0.0)]
        self.exceptions = boto3.client("sagemaker").exceptions

    def describe_endpoint(self, **_: str) -> dict[str, Any]:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if not status:
            error = {"Code": "ValidationException", "Message": 'Could not find endpoint "churn".'}
            raise self.exceptions.ClientError({"Error": error}, "DescribeEndpoint")
        shares = [
            {"VariantName": name, "CurrentWeight": weight, "DesiredInstanceCount": 4} for name, weight in self.variants
        ]
        return {"EndpointStatus": status, "ProductionVariants": shares}

    def delete_endpoint(self, **_: str) -> None:
        self.deleted = True

    def get_paginator(self, _operation: str) -> Any:
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        known = {"arn:mine": "Approved", "arn:refused": "Rejected"}
        summaries = [{"ModelPackageArn": arn, "ModelApprovalStatus": status} for arn, status in known.items()]
        return [{"ModelPackageSummaryList": summaries}]


def minutes_from_now(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def rows(owner: str, **more: str) -> str:
    """A table with an endpoint's lock, which is an hour old."""
    client = boto3.client("dynamodb")
    keys = [("endpoint", "HASH"), ("at", "RANGE")]
    client.create_table(
        TableName="records",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    lock = {"endpoint": "lock#churn", "at": "lock", "owner": owner, "since": minutes_from_now(-60)} | more
    client.put_item(TableName="records", Item={name: {"S": value} for name, value in lock.items()})
    return "records"


def execution() -> str:
    """One that runs."""
    client = boto3.client("stepfunctions")
    role = "arn:aws:iam::123456789012:role/machine"
    machine = client.create_state_machine(name="machine", definition="{}", roleArn=role)["stateMachineArn"]
    arn: str = client.start_execution(stateMachineArn=machine)["executionArn"]
    return arn


def asked(monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint, module: Any) -> None:
    other = module.client
    monkeypatch.setattr(module, "client", lambda name: endpoint if name == "sagemaker" else other(name))


def test_an_endpoint_out_of_service_is_deleted_where_nobody_holds_its_lock(
    aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "_LOOK_EVERY_S", 0)
    endpoint = Endpoint("OutOfService", "OutOfService", "Deleting", "")
    asked(monkeypatch, endpoint, rebuilding)
    ended = "arn:aws:states:eu-west-1:123456789012:execution:machine:ended"

    assert rebuilding.clear({"EndpointName": "churn", "Table": rows(ended)}, None) == {"Cleared": "OutOfService"}
    assert endpoint.deleted


def test_an_endpoint_whose_lock_is_held_is_left_alone(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint("OutOfService")
    asked(monkeypatch, endpoint, rebuilding)

    with pytest.raises(RuntimeError, match="no execution may hold the lock of churn, and arn"):
        rebuilding.clear({"EndpointName": "churn", "Table": rows(execution())}, None)

    assert not endpoint.deleted


GONE = "arn:aws:states:eu-west-1:123456789012:execution:gone:one"


@pytest.mark.parametrize(
    ("owner", "said", "minutes", "holds"),
    [
        pytest.param(GONE, "since", -6, False, id="an execution that nobody knows any more"),
        pytest.param(GONE, "since", -4, True, id="one that nobody knows yet"),
        pytest.param("drill-1", "until", -1, False, id="a drill that is over"),
    ],
)
def test_a_lock_is_held_as_releases_see_it(aws: None, owner: str, said: str, minutes: int, holds: bool) -> None:  # noqa: FBT001
    table = rows(owner, **{said: minutes_from_now(minutes)})

    assert bool(rebuilding._holder(table, "churn")) is holds


def test_an_endpoint_that_serves_again_is_left_alone(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint("InService")
    asked(monkeypatch, endpoint, rebuilding)

    with pytest.raises(RuntimeError, match="must be gone, and is InService"):
        rebuilding.clear({"EndpointName": "churn", "Table": rows(GONE)}, None)

    assert not endpoint.deleted


@pytest.mark.parametrize(
    ("status", "must_go"),
    [("", "no"), ("Failed", "no"), ("InService", "no"), ("UpdateRollbackFailed", "no"), ("OutOfService", "yes")],
)
def test_what_a_release_does_not_make_anew_by_itself_must_go_first(
    aws: None, monkeypatch: pytest.MonkeyPatch, status: str, must_go: str
) -> None:
    asked(monkeypatch, Endpoint(status), rebuilding)

    found = rebuilding.look({"EndpointName": "churn", "Group": "churn", "Version": "arn:mine"}, None)

    assert found == {"Version": "arn:mine", "Status": status or "none", "MustGo": must_go}


@pytest.mark.parametrize(("version", "said"), [("arn:typo", "none of it"), ("arn:refused", "Rejected")])
def test_nothing_is_deleted_for_a_version_that_a_release_would_refuse(
    aws: None, monkeypatch: pytest.MonkeyPatch, version: str, said: str
) -> None:
    asked(monkeypatch, Endpoint("OutOfService"), rebuilding)

    with pytest.raises(RuntimeError, match=f"{version} must be an approved version of churn, and is {said}"):
        rebuilding.look({"EndpointName": "churn", "Group": "churn", "Version": version}, None)


def test_an_endpoint_that_a_drill_holds_is_left_alone(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(monkeypatch, Endpoint("OutOfService"), rebuilding)

    with pytest.raises(RuntimeError, match="no execution may hold the lock of churn, and drill-1 does"):
        rebuilding.clear({"EndpointName": "churn", "Table": rows("drill-1", until=minutes_from_now(1))}, None)


@pytest.mark.parametrize("wanted", ["missing", "all"])
def test_an_old_lock_does_not_come_back_with_the_rows(aws: None, wanted: str) -> None:
    rows("long ago")
    dynamodb, keys = boto3.client("dynamodb"), [("endpoint", "HASH"), ("at", "RANGE")]
    dynamodb.put_item(TableName="records", Item={"endpoint": {"S": "churn"}, "at": {"S": "1"}})
    dynamodb.create_table(
        TableName="used",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )

    told = restored.copy({"From": "records", "To": "used", "Rows": wanted}, None)

    assert told == {"Copied": "1", "Kept": "0"}
    assert [row["endpoint"]["S"] for row in dynamodb.scan(TableName="used")["Items"]] == ["churn"]


def test_without_a_version_in_production_a_rebuild_asks_for_one(aws: None) -> None:
    boto3.client("sagemaker").create_model_package_group(ModelPackageGroupName="churn")

    with pytest.raises(RuntimeError, match="a version of churn must be marked as in production"):
        rebuilding.look({"EndpointName": "churn", "Group": "churn", "Version": "production"}, None)


@pytest.mark.parametrize(
    ("variants", "said"),
    [
        ([("a", 0.5), ("b", 0.5)], "one variant of churn must have the traffic, got a, b"),
        ([("a", 1.0)], "variant a of churn must scale"),
    ],
)
def test_bounds_are_those_of_one_variant_that_scales(
    aws: None, monkeypatch: pytest.MonkeyPatch, variants: list[tuple[str, float]], said: str
) -> None:
    asked(monkeypatch, Endpoint("InService", variants=variants), scaling)

    with pytest.raises(RuntimeError, match=said):
        scaling.look({"EndpointName": "churn", "Minimum": "2", "Maximum": "same"}, None)


@pytest.mark.parametrize(
    ("minimum", "maximum", "fewer", "becomes"),
    [
        pytest.param("2", "8", "no", 8, id="more"),
        pytest.param("2", "same", "no", 6, id="as it is"),
        pytest.param("7", "same", "no", 7, id="but not below the minimum"),
        pytest.param("1", "3", "yes", 3, id="fewer, which is meant"),
        pytest.param("1", "3", "no", "below the 4 instances that a of churn has now, got 3", id="fewer by mistake"),
        pytest.param("5", "4", "yes", "Maximum must not be below Minimum, which is 5, got 4", id="the wrong way round"),
    ],
)
def test_a_maximum_below_what_runs_is_refused_unless_it_is_meant(
    aws: None, monkeypatch: pytest.MonkeyPatch, minimum: str, maximum: str, fewer: str, becomes: int | str
) -> None:
    asked(monkeypatch, Endpoint("InService"), scaling)
    monkeypatch.setattr(scaling, "_target", lambda *_: {"ResourceId": "a", "MinCapacity": 1, "MaxCapacity": 6})
    events = {"EndpointName": "churn", "Minimum": minimum, "Maximum": maximum, "Fewer": fewer}

    if isinstance(becomes, str):
        with pytest.raises(RuntimeError, match=becomes):
            scaling.look(events, None)
    else:
        assert scaling.look(events, None)["Maximum"] == becomes


def test_the_objects_of_a_run_are_written_again_as_they_were(aws: None) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="archives", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="archives", VersioningConfiguration={"Status": "Enabled"})
    for key in ("runs/1/model.tar.gz", "runs/1/manifest.json", "runs/2/model.tar.gz"):
        s3.put_object(Bucket="archives", Key=key, Body=key.encode(), Metadata={"run": "1"}, ContentType="x/y")
    given = {"Bucket": "archives", "Prefix": "runs/1/"}

    assert copies.again({**given, "Which": "failed"}, None) == {"Seen": "2", "Written": "0"}
    assert copies.again({**given, "Which": "all"}, None) == {"Seen": "2", "Written": "2"}

    versions = [one["Key"] for one in s3.list_object_versions(Bucket="archives")["Versions"]]
    assert (versions.count("runs/1/model.tar.gz"), versions.count("runs/2/model.tar.gz")) == (2, 1)
    now = s3.get_object(Bucket="archives", Key="runs/1/model.tar.gz")
    assert (now["Body"].read(), now["Metadata"], now["ContentType"]) == (b"runs/1/model.tar.gz", {"run": "1"}, "x/y")

    with pytest.raises(RuntimeError, match="there must be objects under runs/3/"):
        copies.again({**given, "Prefix": "runs/3/", "Which": "all"}, None)


def test_an_archive_too_large_for_one_copy_is_written_again_in_parts_with_all_its_headers(
    aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    least = 5 * 1024**2  # of a part, says S3; one copy takes a thousand times as much
    monkeypatch.setattr(copies, "_AT_ONCE", least)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="archives", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="archives", VersioningConfiguration={"Status": "Enabled"})
    headers: dict[str, Any] = {
        "CacheControl": "no-store",
        "ContentDisposition": "attachment",
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentType": "x/y",
        "Metadata": {"run": "1"},
        "StorageClass": "STANDARD_IA",
    }
    for key, size in (("runs/1/large", least + 1), ("runs/1/small", 1)):
        s3.put_object(Bucket="archives", Key=key, Body=bytes(size), **headers)

    copies.again({"Bucket": "archives", "Prefix": "runs/1/", "Which": "all"}, None)

    now = {key: s3.head_object(Bucket="archives", Key=f"runs/1/{key}") for key in ("large", "small")}
    assert {key: one["ETag"].endswith('-2"') for key, one in now.items()} == {"large": True, "small": False}
    assert {key: one["ContentLength"] for key, one in now.items()} == {"large": least + 1, "small": 1}
    assert [{name: one[name] for name in headers} for one in now.values()] == [headers, headers]

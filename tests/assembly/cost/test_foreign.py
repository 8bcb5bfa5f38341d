"""Apps that are not ours: what they stand up beside machine learning, and what of it costs nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mlplatform_cdk.assembly.cost import Amount, Usage
from mlplatform_cdk.assembly.cost.catalogue import ITEMS
from mlplatform_cdk.assembly.cost.pricing import PRICED
from mlplatform_cdk.assembly.cost.pricing.free import FREE, reason_of
from mlplatform_cdk.assembly.diff.schemas import schema_of
from tests.assembly.cost.conftest import Priced, resource

MONTH = Decimal(730)
FARGATE = {"fargate.vcpu-hour-x86": "0.04", "fargate.gb-hour-x86": "0.005", "fargate.vcpu-hour-arm": "0.03"}


@pytest.mark.parametrize("kind", sorted(name for name in {*FREE, *PRICED} if name.startswith("AWS::")))
def test_every_type_with_a_price_or_a_reason_is_one_of_cloudformation(kind: str) -> None:
    assert schema_of(kind, "us-east-1").known


def test_no_type_has_both_a_price_and_a_reason() -> None:
    assert not FREE.keys() & PRICED.keys()


def test_custom_resources_cost_nothing_but_those_of_third_parties_are_unknown() -> None:
    assert "their functions are priced" in str(reason_of("Custom::Whatever"))
    assert reason_of("Custom::ReleasedEndpoint") != reason_of("Custom::Whatever")
    assert reason_of("Acme::Dashboard::Instance") is None


def test_what_may_cost_is_not_free() -> None:
    for kind in (
        "CloudWatch::Dashboard",
        "EC2::NatGateway",
        "RDS::DBInstance",
        "Scheduler::Schedule",
        "Events::Archive",
    ):
        assert reason_of(f"AWS::{kind}") is None


def test_the_parts_of_an_api_cost_nothing_and_its_requests_do(priced: Priced) -> None:
    parts = ("Account", "Deployment", "Method", "RequestValidator", "Resource", "Stage")
    resources = {part: resource(f"AWS::ApiGateway::{part}") for part in parts}

    found = priced({**resources, "Api": resource("AWS::ApiGateway::RestApi")}, {"apigateway.rest-request": "0.000004"})

    assert found.unknown == ()
    assert set(found.free) == {f"AWS::ApiGateway::{part}" for part in parts}
    assert [(line.charge.per, line.rate) for line in found.lines] == [("million requests to REST APIs", 4)]


@pytest.mark.parametrize(
    ("one", "amounts", "committed"),
    [
        pytest.param(
            resource("AWS::ElasticLoadBalancingV2::LoadBalancer"),
            {"elb.application-hour": "0.02", "elb.application-lcu-hour": "0.008"},
            MONTH * Decimal("0.02"),
            id="an application load balancer",
        ),
        pytest.param(
            resource("AWS::ElasticLoadBalancingV2::LoadBalancer", Type="network"),
            {"elb.network-hour": "0.03", "elb.network-lcu-hour": "0.006"},
            MONTH * Decimal("0.03"),
            id="a network load balancer",
        ),
        pytest.param(
            resource("AWS::WAFv2::WebACL", Rules=[{}, {}]),
            {"waf.acl-month": "5", "waf.rule-month": "1", "waf.request": "0.0000006"},
            Decimal(7),
            id="a web ACL with two rules",
        ),
        pytest.param(
            resource("AWS::EC2::Volume", VolumeType="gp3", Size=100),
            {"ebs.gb-month/gp3": "0.08"},
            Decimal(8),
            id="a volume",
        ),
        pytest.param(
            resource("AWS::SSM::Parameter", Tier="Advanced"),
            {"ssm.advanced-parameter-hour": "0.00007"},
            MONTH * Decimal("0.00007"),
            id="an advanced parameter",
        ),
        pytest.param(
            resource("AWS::DynamoDB::GlobalTable", BillingMode="PAY_PER_REQUEST", Replicas=[{"Region": "eu-west-1"}]),
            {"dynamodb.gb-month": "0.25", "dynamodb.read": "0.0000001", "dynamodb.write": "0.0000006"},
            Decimal(0),
            id="a table of the newer kind",
        ),
    ],
)
def test_what_an_app_stands_up_has_its_price(
    priced: Priced, one: dict[str, Any], amounts: dict[str, str], committed: Decimal
) -> None:
    found = priced({"One": one}, amounts)

    assert found.unknown == ()
    assert found.totals().committed == Amount(known=committed)


@pytest.mark.parametrize(
    ("one", "name"),
    [
        (resource("AWS::ApiGateway::Stage", CacheClusterEnabled=True), "the cache of a stage of an API"),
        (
            resource("AWS::ApiGatewayV2::Api", ProtocolType="WEBSOCKET"),
            "the price of messages and connections of an API of the protocol WEBSOCKET",
        ),
        (
            resource("AWS::ElasticLoadBalancingV2::LoadBalancer", Type="gateway"),
            "the price of a load balancer of the type gateway",
        ),
        (
            resource("AWS::CertificateManager::Certificate", CertificateExport="ENABLED"),
            "the price of a private or exported certificate",
        ),
        (
            resource("AWS::EC2::Volume", Size=1, Iops=9000),
            "the operations and throughput that a volume pays for beyond its size",
        ),
        (
            resource("AWS::DynamoDB::GlobalTable", Replicas=[{}, {}]),
            "the replicas of a global table, and the writes that go to them",
        ),
        (
            resource("AWS::S3::Bucket", ReplicationConfiguration={"Rules": [{"Status": "Enabled"}]}),
            "the copies that a bucket's replication sends: transfer, requests, replication-time control",
        ),
        (
            resource("AWS::ECS::Service", LaunchType="FARGATE", TaskDefinition="theirs"),
            "the tasks of a service whose task definition is not in its template",
        ),
    ],
)
def test_what_of_it_has_no_price_is_named(priced: Priced, one: dict[str, Any], name: str) -> None:
    assert f"{name} (App/Foundation/One)" in priced({"One": one}, {}).unknown


def service(*, task: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    definition = resource("AWS::ECS::TaskDefinition", Cpu="512", Memory="1024", **task or {})
    return {"Task": definition, "Service": resource("AWS::ECS::Service", TaskDefinition={"Ref": "Task"}, **properties)}


BAND = [{"Id": "m", "MetricStat": {"Period": 60}}, {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m)"}]
RARELY = {"TableClass": "STANDARD_INFREQUENT_ACCESS"}


@pytest.mark.parametrize(
    ("one", "name", "not_this"),
    [
        (
            resource("AWS::DynamoDB::Table", BillingMode="PAY_PER_REQUEST", **RARELY),
            "the price of a table of the class STANDARD_INFREQUENT_ACCESS",
            "dynamodb.gb-month",
        ),
        (
            resource("AWS::DynamoDB::GlobalTable", BillingMode="PAY_PER_REQUEST", Replicas=[RARELY]),
            "the price of a table of the class STANDARD_INFREQUENT_ACCESS",
            "dynamodb.write",
        ),
        (
            resource("AWS::Logs::LogGroup", LogGroupClass="INFREQUENT_ACCESS"),
            "the price of lines written to logs of the class INFREQUENT_ACCESS",
            "logs.ingested-gb",
        ),
        (
            resource("AWS::CloudWatch::Alarm", ThresholdMetricId="band", Metrics=BAND),
            "the price of an alarm on anomalies, whose band counts as metrics, too",
            "cloudwatch.alarm-month",
        ),
        (
            resource("AWS::Lambda::Function", Runtime="python3.13", SnapStart={"ApplyOn": "PublishedVersions"}),
            "the snapshots of a function with SnapStart, kept and restored",
            "",
        ),
        (
            service(
                LaunchType="FARGATE", task={"RuntimePlatform": {"OperatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}
            ),
            "the price of tasks on WINDOWS_SERVER_2022_CORE",
            "fargate.vcpu-hour-x86",
        ),
        (
            service(LaunchType="FARGATE", task={"EphemeralStorage": {"SizeInGiB": 100}}),
            "the disk of a task beyond 20 GB",
            "",
        ),
    ],
)
def test_what_has_another_price_than_the_known_one_is_named(
    priced: Priced, one: dict[str, Any], name: str, not_this: str
) -> None:
    found = priced({"One": one} if "Type" in one else one, dict.fromkeys(ITEMS, "1"))

    assert [unknown.partition(" (")[0] for unknown in found.unknown] == [name]
    assert not_this not in {line.charge.item for line in found.lines}


def test_a_service_on_fargate_commits_to_its_tasks(priced: Priced) -> None:
    found = priced(service(LaunchType="FARGATE", DesiredCount=2), FARGATE)

    assert found.totals().committed == Amount(known=2 * MONTH * (Decimal("0.5") * Decimal("0.04") + Decimal("0.005")))
    assert found.lines[0].charge.what == "2 tasks of 0.5 vCPU"


def test_fargate_spot_has_no_price_until_somebody_says_what_it_takes_off(priced: Priced) -> None:
    resources = service(CapacityProviderStrategy=[{"CapacityProvider": "FARGATE_SPOT"}])
    told = Usage(discounts={"fargate_spot": Decimal("0.5")})

    unknown, known = priced(resources, FARGATE), priced(resources, FARGATE, usage=told)

    assert unknown.totals().committed_discounted.unknown == {"discount: fargate_spot"}
    assert known.totals().committed_discounted.known * 2 == known.totals().committed.known > 0


def test_a_service_on_instances_costs_nothing_itself(priced: Priced) -> None:
    found = priced(service(), FARGATE)

    assert found.free["AWS::ECS::Service"] == ("tasks on instances cost nothing; the instances do", 1)

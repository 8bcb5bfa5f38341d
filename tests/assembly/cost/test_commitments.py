"""What does a template commit to? Each figure is reckoned by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from mlplatform_cdk.assembly.cost import Amount, Kind, Usage
from tests.assembly.cost.conftest import Priced, resource

HOURS = 730


def test_an_interface_endpoint_is_charged_by_the_hour_in_each_zone(priced: Priced) -> None:
    endpoint = resource(
        "AWS::EC2::VPCEndpoint",
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.eu-west-1.kms",
        SubnetIds=[{"Ref": "One"}, {"Ref": "Two"}, {"Ref": "Three"}],
    )

    found = priced({"Kms": endpoint}, {"vpc.interface-endpoint-hour": "0.011", "vpc.interface-endpoint-gb": "0.01"})

    assert found.totals().committed == Amount(known=3 * HOURS * Decimal("0.011"))
    assert found.lines[0].charge.what == "interface endpoint of kms in 3 zones"


def test_a_gateway_endpoint_costs_nothing_and_says_why(priced: Priced) -> None:
    found = priced({"S3": resource("AWS::EC2::VPCEndpoint", ServiceName="com.amazonaws.eu-west-1.s3")}, {})

    assert found.totals().committed == Amount()
    assert found.free["AWS::EC2::VPCEndpoint"] == ("gateway endpoints cost nothing", 1)


@pytest.mark.parametrize(
    ("one", "amounts", "expected"),
    [
        pytest.param(resource("AWS::KMS::Key"), {"kms.key-month": "1", "kms.request": "0.000003"}, "1", id="a key"),
        pytest.param(
            resource("AWS::EC2::NatGateway"),
            {"ec2.nat-gateway-hour": "0.045", "ec2.nat-gateway-gb": "0.045"},
            "32.85",
            id="a NAT gateway",
        ),
        pytest.param(resource("AWS::EC2::EIP"), {"vpc.public-ipv4-hour": "0.005"}, "3.65", id="an address"),
        pytest.param(
            resource("AWS::CloudWatch::Alarm", Period=300), {"cloudwatch.alarm-month": "0.1"}, "0.1", id="an alarm"
        ),
        pytest.param(
            resource("AWS::CloudWatch::Alarm", Period=10),
            {"cloudwatch.high-resolution-alarm-month": "0.3"},
            "0.3",
            id="a quick alarm",
        ),
        pytest.param(
            resource(
                "AWS::CloudWatch::Alarm", Metrics=[{"MetricStat": {"Period": 60}}, {"MetricStat": {}}, {"Id": "e"}]
            ),
            {"cloudwatch.alarm-month": "0.1"},
            "0.2",
            id="an alarm on an expression of two metrics",
        ),
        pytest.param(
            resource("AWS::DynamoDB::Table", ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": "2"}),
            {
                "dynamodb.read-capacity-hour": "0.0001",
                "dynamodb.write-capacity-hour": "0.001",
                "dynamodb.gb-month": "0.25",
            },
            "1.825",
            id="a table with capacity of its own",
        ),
        pytest.param(
            resource("AWS::SageMaker::NotebookInstance", InstanceType="ml.t3.medium", VolumeSizeInGB=20),
            {"sagemaker.notebook-hour/ml.t3.medium": "0.05", "sagemaker.notebook-storage-gb-month": "0.1"},
            "38.5",
            id="a notebook instance and its volume",
        ),
    ],
)
def test_what_stands_costs_a_month_of_it(
    priced: Priced, one: dict[str, Any], amounts: dict[str, str], expected: str
) -> None:
    assert priced({"One": one}, amounts).totals().committed == Amount(known=Decimal(expected))


def test_an_endpoint_of_the_template_costs_its_instances(priced: Priced) -> None:
    variants = [
        {"VariantName": "blue", "InstanceType": "ml.m5.large", "InitialInstanceCount": 2, "VolumeSizeInGB": 10},
        {"VariantName": "green", "InstanceType": {"Ref": "Size"}, "InitialInstanceCount": 1},
    ]
    resources = {
        "Config": resource("AWS::SageMaker::EndpointConfig", ProductionVariants=variants),
        "Endpoint": resource(
            "AWS::SageMaker::Endpoint", EndpointConfigName={"Fn::GetAtt": ["Config", "EndpointConfigName"]}
        ),
        "Spare": resource("AWS::SageMaker::EndpointConfig", ProductionVariants=variants),
    }
    amounts = {
        "sagemaker.hosting-hour/ml.m5.large": "0.1",
        "sagemaker.hosting-hour/ml.g5.xlarge": "1",
        "sagemaker.hosting-storage-gb-month": "0.15",
        "sagemaker.inference-gb": "0.016",
    }

    found = priced(resources, amounts, Parameters={"Size": {"Type": "String", "Default": "ml.g5.xlarge"}})

    assert found.totals().committed == Amount(known=2 * HOURS * Decimal("0.1") + HOURS + 20 * Decimal("0.15"))


def release_machine(**specification: Any) -> dict[str, Any]:
    told = {"endpoint_name": "churn", "instance_type": "ml.c5.xlarge", "minimum": 2, "maximum": 4, **specification}
    payload = {"specification": told, "role": "ROLE"}
    plan = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"Payload": payload},
        "End": True,
    }
    text = json.dumps({"StartAt": "Plan", "States": {"Plan": plan}})
    before, after = text.split("ROLE")
    joined = {"Fn::Join": ["", [before, {"Fn::GetAtt": ["Role", "Arn"]}, after]]}
    return resource("AWS::StepFunctions::StateMachine", DefinitionString=joined)


def test_an_endpoint_that_releases_own_costs_its_minimum_from_the_release_machine_on(priced: Priced) -> None:
    found = priced(
        {"Release": release_machine()},
        {
            "sagemaker.hosting-hour/ml.c5.xlarge": "0.2",
            "sagemaker.inference-gb": "0.01",
            "states.transition": "0.000025",
        },
    )

    assert found.totals().committed == Amount(known=2 * HOURS * Decimal("0.2"))
    (standing,) = [line for line in found.lines if line.kind is Kind.COMMITTED]
    assert standing.charge.what == "endpoint churn: 2 x ml.c5.xlarge"
    rates = {line.charge.per: line.rate for line in found.lines}
    assert rates["hour of a release"] == Decimal("0.4")
    assert rates["instance-hour above the minimum"] == Decimal("0.2")


def test_a_savings_plan_of_the_usage_file_takes_its_share_off_instances_only(priced: Priced) -> None:
    usage = Usage(discounts={"sagemaker_savings_plan": Decimal("0.25")})
    resources = {"Release": release_machine(), "Key": resource("AWS::KMS::Key")}

    found = priced(resources, {"sagemaker.hosting-hour/ml.c5.xlarge": "0.2", "kms.key-month": "1"}, usage=usage)

    assert found.totals().committed.known == 2 * HOURS * Decimal("0.2") + 1
    assert found.totals().committed_discounted.known == 2 * HOURS * Decimal("0.15") + 1


def test_a_serverless_variant_commits_only_to_the_concurrency_that_it_keeps(priced: Priced) -> None:
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5, "ProvisionedConcurrency": 1}
    resources = {
        "Config": resource("AWS::SageMaker::EndpointConfig", ProductionVariants=[{"ServerlessConfig": serverless}]),
        "Endpoint": resource("AWS::SageMaker::Endpoint", EndpointConfigName={"Ref": "Config"}),
    }
    amounts = {
        "sagemaker.serverless-gb-second": "0.00002",
        "sagemaker.serverless-provisioned-gb-second": "0.00001",
        "sagemaker.inference-gb": "0.016",
    }

    found = priced(resources, amounts)

    assert found.totals().committed == Amount(known=2 * HOURS * 3600 * Decimal("0.00001"))


def test_a_longer_month_is_a_dearer_month(priced: Priced) -> None:
    usage = Usage(amounts={"hours_per_month": Decimal(100)})

    found = priced({"Nat": resource("AWS::EC2::NatGateway")}, {"ec2.nat-gateway-hour": "0.05"}, usage=usage)

    assert found.totals().committed.known == 5

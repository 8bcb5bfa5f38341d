"""Does the plan name what stays, in the account's words, and say why and for how much?"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mlplatform_cdk.cli.main import app

KEEP = {"DeletionPolicy": "Retain"}


def stack(folder: Path, name: str, resources: dict[str, Any], after: tuple[str, ...] = ()) -> dict[str, Any]:
    (folder / f"{name}.template.json").write_text(json.dumps({"Resources": resources}))
    properties = {"templateFile": f"{name}.template.json", "stackName": name}
    environment = "aws://123456789012/eu-west-1"
    return {
        "type": "aws:cloudformation:stack",
        "environment": environment,
        "properties": properties,
        "dependencies": [*after],
        "displayName": name,
    }


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("assembly")
    table = {"DeletionProtectionEnabled": True, "BillingMode": "PAY_PER_REQUEST"}
    base = {
        "Key": {"Type": "AWS::KMS::Key", "Metadata": {"aws:cdk:path": "Base/Keys/Data/Resource"}, **KEEP},
        "Bucket": {"Type": "AWS::S3::Bucket", **KEEP},
        "Gone": {"Type": "AWS::S3::Bucket"},
        "Empty": {"Type": "Custom::Teardown", "Properties": {"TakesAway": "the objects of buckets"}},
    }
    top = {
        "Records": {"Type": "AWS::DynamoDB::Table", "Properties": table, **KEEP},
        "Front": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Metadata": {"aws:cdk:path": "Top/Front/Resource"},
            "Properties": {"LoadBalancerAttributes": [{"Key": "deletion_protection.enabled", "Value": "true"}]},
        },
        "Group": {
            "Type": "AWS::SageMaker::ModelPackageGroup",
            "Properties": {"ModelPackageGroupName": "churn"},
            **KEEP,
        },
        "Endpoint": {"Type": "Custom::ReleasedEndpoint", "Properties": {"EndpointName": "churn", "Logs": "keep"}},
    }
    live = {"StageName": "live", "MethodSettings": [{"LoggingLevel": "ERROR"}]}
    stage = {"Type": "AWS::ApiGateway::Stage", "Properties": live}
    name = {"Fn::Join": ["", ["API-Gateway-Execution-Logs_", {"Ref": "Api"}, "/live"]]}
    base |= {"Stage": stage, "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}}}
    top |= {"Stage": stage, "Account": {"Type": "AWS::ApiGateway::Account"}}
    artifacts = {"Base": stack(folder, "Base", base), "Top": stack(folder, "Top", top, ("Base",))}
    (folder / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": artifacts}))
    answer = CliRunner().invoke(app, ["teardown", "plan", str(folder), "--json"])
    assert answer.exit_code == 0, answer.output
    found: dict[str, Any] = json.loads(answer.output)
    found["text"] = CliRunner().invoke(app, ["teardown", "plan", str(folder)]).output
    return found


def test_the_stacks_go_from_the_top(plan: dict[str, Any]) -> None:
    assert [one["stack"] for one in plan["steps"]] == ["Top", "Base"]
    assert [one["takes_away"] for one in plan["steps"]] == [
        ["the endpoint churn with its configurations, models and scaling"],
        ["the objects of buckets"],
    ]


def test_what_refuses_to_go_is_named(plan: dict[str, Any]) -> None:
    assert [one["blocked_by"] for one in plan["steps"]] == [["the one of Top/Front"], []]
    assert "the one of Top/Front refuses to go: take its protection off" in plan["text"]


def test_what_stays_has_the_name_that_the_account_knows(plan: dict[str, Any]) -> None:
    assert [one["name"] for one in plan["kept"]] == [
        "Top-Records-*",
        "churn",
        "the one of Base/Keys/Data",
        "base-bucket-*",
        "/aws/sagemaker/Endpoints/churn",
        "API-Gateway-Execution-Logs_*/live",  # of Top alone: Base's template holds its own
        "/aws/apigateway/welcome",
    ]


def test_each_says_why_it_stays_and_what_it_costs(plan: dict[str, Any]) -> None:
    records, _, key, _, logs, *_ = plan["kept"]

    assert records["why"] == "its items (DeletionPolicy Retain; protected from deletion)"
    assert Decimal(key["usd_a_month"]) == 1
    assert logs["usd_a_month"] is None
    assert Decimal(plan["usd_a_month"]) > 1


def test_people_read_whole_names(plan: dict[str, Any]) -> None:
    assert "  1 Top in eu-west-1" in plan["text"]
    assert "    Top-Records-*\n        AWS::DynamoDB::Table in eu-west-1: $" in plan["text"]
    assert "What stays costs $" in plan["text"]

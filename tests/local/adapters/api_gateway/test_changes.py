"""Does a change of a template reach the API that is served, and does it go with its stack?"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from mlplatform_cdk.local.deploy import deploy, destroy
from mlplatform_cdk.local.settings import Settings
from tests.local.adapters.api_gateway.doors import method, mock
from tests.local.adapters.api_gateway.fronts import Client
from tests.local.adapters.api_gateway.test_methods import Doors
from tests.local.control.handmade import assembly_of


def template() -> dict[str, Any]:
    api = {"RestApiId": {"Ref": "Api"}}
    stage = {**api, "StageName": "live", "DeploymentId": {"Ref": "First"}, "Variables": {"word": "one"}}
    return {
        "Resources": {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "changing"}},
            **method("word", "GET", mock('{"word": "$stageVariables.word", "made": "first"}')),
            "First": {"Type": "AWS::ApiGateway::Deployment", "Properties": api, "DependsOn": ["WordGET"]},
            "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": stage},
        },
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}},
    }


def test_a_changed_template_changes_the_api_in_place_and_a_deleted_stack_ends_it(
    aws: Settings, client: Client, tmp_path: Path
) -> None:
    before, after = template(), copy.deepcopy(template())
    resources = after["Resources"]
    resources["Second"] = resources.pop("First")
    resources["Stage"]["Properties"] |= {
        "DeploymentId": {"Ref": "Second"},
        "Variables": {"word": "two"},
        "MethodSettings": [
            {
                "HttpMethod": "*",
                "ResourcePath": "/*",
                "LoggingLevel": "ERROR",
                "ThrottlingRateLimit": 0.001,
                "ThrottlingBurstLimit": 1,
            }
        ],
    }
    resources["WordGET"]["Properties"]["Integration"] = mock('{"word": "$stageVariables.word", "made": "second"}')
    resources["Api"]["Properties"] |= {"BinaryMediaTypes": ["image/png"], "Description": "changed"}

    api = deploy(assembly_of(tmp_path, "Changing", before), aws).stacks[0].outputs["Api"]
    first = Doors(aws, api).ask("/word").json
    changed = deploy(assembly_of(tmp_path, "Changing", after), aws)
    second, third = (Doors(aws, api).ask("/word") for _ in range(2))
    seen = client("apigateway").get_rest_api(restApiId=api)

    assert changed.stacks[0].outputs["Api"] == api
    assert (first, second.json) == ({"word": "one", "made": "first"}, {"word": "two", "made": "second"})
    assert (second.status, third.status) == (200, 429)
    assert (seen["binaryMediaTypes"], seen["description"]) == (["image/png"], "changed")
    destroy(assembly_of(tmp_path, "Changing", after), aws)
    assert Doors(aws, api).ask("/word").status == 403
    logs = client("logs")  # what the service has made stays, as in AWS
    (left,) = logs.describe_log_groups(logGroupNamePrefix="API-Gateway-Execution-Logs_")["logGroups"]
    assert left["logGroupName"] == f"API-Gateway-Execution-Logs_{api}/live"
    logs.delete_log_group(logGroupName=left["logGroupName"])

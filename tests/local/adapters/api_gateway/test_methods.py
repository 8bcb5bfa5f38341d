"""What do methods with functions, keys and made-up answers behind or before them answer?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from mlplatform_cdk.local.deploy import deploy, destroy
from mlplatform_cdk.local.settings import Settings
from tests.local.adapters.api_gateway.fronts import Client, Reply
from tests.local.control.handmade import assembly_of

KEY = "a-key-of-twenty-letters-or-more"
AUTHORIZER = """
calls = []
def handle(event, context):
    calls.append(event)
    token = event["authorizationToken"]
    if token == "nobody":
        raise Exception("Unauthorized")
    if token == "broken":
        raise KeyError("what")
    effect = "Deny" if token == "denied" else "Allow"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {
        "principalId": token,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"calls": len(calls)},
    }
"""
PROXY = """
import json
def handle(event, context):
    if event["body"] == "fail":
        raise ValueError("no")
    if event["body"] == "shape":
        return {"answer": 42}
    names = ("path", "httpMethod", "pathParameters", "queryStringParameters", "body", "isBase64Encoded")
    return {"statusCode": 201, "headers": {"X-Made": "here"}, "body": json.dumps({n: event[n] for n in names})}
"""


def attribute(name: str, of: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, of]}


def joined(*parts: Any) -> dict[str, Any]:
    return {"Fn::Join": ["", [*parts]]}


def function_uri(name: str) -> dict[str, Any]:
    place = ("arn:aws:apigateway:", {"Ref": "AWS::Region"}, ":lambda:path/2015-03-31/functions/")
    return joined(*place, attribute(name, "Arn"), "/invocations")


def function(name: str, code: str) -> dict[str, Any]:
    """A function, and API Gateway's permission to call it."""
    settings = {"Runtime": "python3.13", "Handler": "index.handle", "Code": {"ZipFile": code}}
    permission = {"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}
    source = joined(
        "arn:aws:execute-api:", {"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}, ":", {"Ref": "Api"}, "/*"
    )
    return {
        name: {"Type": "AWS::Lambda::Function", "Properties": {**settings, "Role": attribute("Role", "Arn")}},
        f"{name}May": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {**permission, "FunctionName": {"Ref": name}, "SourceArn": source},
        },
    }


def method(place: str, verb: str, integration: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A resource below the root, and its method."""
    name = place.strip("{+}").capitalize()
    given = {"RestApiId": {"Ref": "Api"}, "ResourceId": {"Ref": name}, "HttpMethod": verb, "Integration": integration}
    parent = more.pop("parent", None)
    below = {"Ref": parent} if parent else attribute("Api", "RootResourceId")
    return {
        name: {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": {"RestApiId": {"Ref": "Api"}, "ParentId": below, "PathPart": place},
        },
        f"{name}{verb}": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {"AuthorizationType": "NONE", **given, **more},
        },
    }


def mock(template: str, *, request: str = '{"statusCode": 200}') -> dict[str, Any]:
    return {
        "Type": "MOCK",
        "RequestTemplates": {"application/json": request},
        "PassthroughBehavior": "NEVER",
        "IntegrationResponses": [
            {"StatusCode": "200", "ResponseTemplates": {"application/json": template}},
            {
                "StatusCode": "404",
                "SelectionPattern": "4\\d\\d",
                "ResponseTemplates": {"application/json": '{"none": 1}'},
            },
        ],
    }


def template() -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    proxy = {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": function_uri("Proxy")}
    asked = '{"statusCode": #if($input.params("id") == "none")404#else200#end}'
    told = """{"id": "$input.params('id')", "who": "$util.escapeJavaScript($input.params('X-Who'))"}"""
    methods = {
        **method("guarded", "GET", mock('{"calls": "$context.authorizer.calls"}'), AuthorizationType="CUSTOM",
                 AuthorizerId={"Ref": "Authorizer"}),
        **method("metered", "GET", mock('{"key": "$context.identity.apiKeyId"}'), ApiKeyRequired=True),
        **method("made", "GET", mock(told, request=asked)),
        **method("proxy", "GET", mock("{}")),
        **method("{rest+}", "ANY", proxy, parent="Proxy0"),
    }  # fmt: skip
    methods["Proxy0"] = methods.pop("Proxy")
    methods["ProxyGET"]["Properties"]["ResourceId"] = {"Ref": "Proxy0"}
    stage = {"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Stage"}}
    return {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}},
            },
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "doors"}},
            **function("Proxy", PROXY),
            **function("Tokens", AUTHORIZER),
            "Authorizer": {
                "Type": "AWS::ApiGateway::Authorizer",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "Name": "tokens",
                    "Type": "TOKEN",
                    "AuthorizerUri": function_uri("Tokens"),
                    "IdentitySource": "method.request.header.Authorization",
                    "IdentityValidationExpression": "[a-z]+",
                    "AuthorizerResultTtlInSeconds": 300,
                },
            },
            **methods,
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "Properties": {"RestApiId": {"Ref": "Api"}},
                "DependsOn": [name for name, one in methods.items() if one["Type"].endswith("Method")],
            },
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "live", "DeploymentId": {"Ref": "Deployment"}},
            },
            "Key": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Enabled": True, "Value": KEY}},
            "Plan": {
                "Type": "AWS::ApiGateway::UsagePlan",
                "Properties": {"ApiStages": [stage], "Throttle": {"RateLimit": 0.001, "BurstLimit": 2}},
            },
            "PlanKey": {
                "Type": "AWS::ApiGateway::UsagePlanKey",
                "Properties": {"KeyId": {"Ref": "Key"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}},
            },
        },
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}},
    }


class Doors:
    def __init__(self, aws: Settings, api: str) -> None:
        self._base = f"http://127.0.0.1:{aws.port}/restapis/{api}/live/_user_request_"
        self._pool = urllib3.PoolManager()

    def ask(self, path: str, verb: str = "GET", body: bytes | None = None, **headers: str) -> Reply:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._pool.request(verb, f"{self._base}{path}", body=body, headers=given, retries=False)
        return Reply(answer.status, answer.headers, answer.data)


@pytest.fixture(scope="module")
def doors(aws: Settings, client: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder: Path = tmp_path_factory.mktemp("doors")
    assembly = assembly_of(folder, "Doors", template())
    report = deploy(assembly, aws)
    yield Doors(aws, report.stacks[0].outputs["Api"])
    destroy(assembly, aws)
    assert client("apigateway").get_usage_plans()["items"] == client("apigateway").get_api_keys()["items"] == []


def test_a_function_decides_on_a_token_once_and_its_verdict_is_kept(doors: Doors) -> None:
    first, second = (doors.ask("/guarded", Authorization="someone") for _ in range(2))

    assert first.status == second.status == 200, first.body
    assert first.json == second.json  # the number of calls that the function had seen


@pytest.mark.parametrize(
    ("token", "status", "body"),
    [
        ("", 401, {"message": "Unauthorized"}),
        ("NOT-OF-THE-PATTERN", 401, {"message": "Unauthorized"}),
        ("nobody", 401, {"message": "Unauthorized"}),
        ("broken", 500, {"message": None}),
        ("denied", 403, {"Message": "User is not authorized to access this resource with an explicit deny"}),
    ],
)
def test_a_token_that_is_refused_is_refused_as_api_gateway_does(
    doors: Doors, token: str, status: int, body: Any
) -> None:
    reply = doors.ask("/guarded", **({"Authorization": token} if token else {}))

    assert (reply.status, reply.json) == (status, body)


def test_a_key_opens_and_its_plan_meters(doors: Doors) -> None:
    without, wrong = doors.ask("/metered"), doors.ask("/metered", x_api_key="another")
    metered = [doors.ask("/metered", x_api_key=KEY) for _ in range(3)]

    assert [one.json for one in (without, wrong)] == [{"message": "Forbidden"}] * 2
    assert [one.status for one in (without, wrong)] == [403, 403]
    assert [one.status for one in metered] == [200, 200, 429]
    assert metered[0].json["key"]
    assert metered[2].json == {"message": "Too Many Requests"}


def test_a_proxy_gets_the_whole_request_and_gives_the_whole_answer(doors: Doors) -> None:
    reply = doors.ask("/proxy/a/b%20c?x=1", "PUT", b"text", Content_Type="text/plain")

    assert (reply.status, reply.headers["X-Made"]) == (201, "here")
    assert reply.json == {
        "path": "/proxy/a/b c",
        "httpMethod": "PUT",
        "pathParameters": {"rest": "a/b c"},
        "queryStringParameters": {"x": "1"},
        "body": "text",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("body", [b"fail", b"shape"])
def test_a_function_that_fails_or_answers_in_another_shape_is_a_bad_gateway(doors: Doors, body: bytes) -> None:
    reply = doors.ask("/proxy/x", "POST", body)

    assert (reply.status, reply.json) == (502, {"message": "Internal server error"})


def test_a_made_up_answer_sees_the_request_and_its_status_chooses_the_response(doors: Doors) -> None:
    reply = doors.ask("/made?id=7", X_Who='a "friend"')
    none = doors.ask("/made?id=none")

    assert (reply.status, reply.json) == (200, {"id": "7", "who": 'a "friend"'})
    assert (none.status, none.json) == (404, {"none": 1})


def test_a_body_of_a_type_without_a_template_is_refused_where_nothing_may_pass(doors: Doors) -> None:
    assert doors.ask("/made", Content_Type="text/csv").status == 415


def test_every_answer_names_its_request(doors: Doors) -> None:
    ids = {doors.ask("/made").headers["x-amzn-RequestId"] for _ in range(2)}

    assert len(ids) == 2
    assert json.dumps(sorted(ids)) != "[]"

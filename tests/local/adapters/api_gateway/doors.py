"""A hand-written API with every kind of method, and what its template is made of."""

from __future__ import annotations

from typing import Any

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

"""What stands in front of a region's endpoint?"""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aws_cdk import Environment
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from mlplatform_cdk.routing import HostedZoneReference, RegionalTarget
from mlplatform_cdk.routing.regional_api import Authorization, MutualTls, Throttle
from tests.routing.regional_api.building import HERE, PLAN, Built

JWT = Authorization.jwt(issuer="https://id.example.com/", audience=["models"])
METHOD, DOMAIN = "AWS::ApiGateway::Method", "AWS::ApiGateway::DomainName"


def method(built: Built, verb: str) -> dict[str, Any]:
    (found,) = [one for one in built.of_type(METHOD) if one["HttpMethod"] == verb]
    return found


def text(value: Any) -> str:
    return json.dumps(value)


@pytest.fixture(scope="module")
def signed() -> Built:
    return Built()


@pytest.fixture(scope="module")
def keyed() -> Built:
    return Built(authorization=Authorization.api_key(secret_name="models/key"), throttle=Throttle(rate=5, burst=9))


@pytest.fixture(scope="module")
def tokens() -> Built:
    return Built(authorization=replace(JWT, kept=timedelta(seconds=60)))


def test_predictions_come_from_sagemakers_runtime_without_a_lambda(signed: Built) -> None:
    integration = method(signed, "POST")["Integration"]

    assert (integration["Type"], integration["IntegrationHttpMethod"]) == ("AWS", "POST")
    assert ":apigateway:eu-west-1:runtime.sagemaker:path/endpoints/churn/invocations" in text(integration["Uri"])
    assert signed.of_type("AWS::Lambda::Function") == []


def test_what_the_caller_says_of_the_body_reaches_the_model_and_the_variant_is_not_his_to_choose(signed: Built) -> None:
    sent = method(signed, "POST")["Integration"]["RequestParameters"]

    assert sent["integration.request.header.Content-Type"] == "method.request.header.Content-Type"
    assert sent["integration.request.header.Accept"] == "method.request.header.Accept"
    name = "X-Amzn-SageMaker-Custom-Attributes"
    assert sent[f"integration.request.header.{name}"] == f"method.request.header.{name}"
    assert not [one for one in sent if "Target-Variant" in one]


def test_every_status_of_sagemaker_comes_back_as_it_is_and_an_unknown_one_is_no_success(signed: Built) -> None:
    responses = method(signed, "POST")["Integration"]["IntegrationResponses"]

    by_pattern = {one.get("SelectionPattern"): one["StatusCode"] for one in responses}
    assert by_pattern == {code: code for code in ("200", "400", "403", "424", "429", "500", "503", "530")} | {
        None: "502"
    }
    declared = {one["StatusCode"] for one in method(signed, "POST")["MethodResponses"]}
    assert declared == {*by_pattern.values()}


def test_the_probe_learns_which_variant_answered(signed: Built) -> None:
    (good,) = [
        one for one in method(signed, "POST")["Integration"]["IntegrationResponses"] if one["StatusCode"] == "200"
    ]

    header = "method.response.header.X-Amzn-Invoked-Production-Variant"
    assert good["ResponseParameters"][header] == "integration.response.header.x-Amzn-Invoked-Production-Variant"


def test_the_apis_roles_may_ask_one_endpoint_and_read_one_table(signed: Built) -> None:
    resources = signed.template["Resources"]
    policies = {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::IAM::ManagedPolicy"}
    asked = next(one for name, one in policies.items() if name.startswith("ApiInvoker"))["PolicyDocument"]["Statement"]
    read = next(one for name, one in policies.items() if name.startswith("ApiHealthReader"))["PolicyDocument"][
        "Statement"
    ]

    assert [one["Action"] for one in asked] == ["sagemaker:InvokeEndpoint"]
    assert "endpoint/churn" in text(asked[0]["Resource"])
    assert [one["Action"] for one in read] == ["dynamodb:Query", "kms:Decrypt"]


def test_health_is_the_last_verdict_that_still_counts_and_asks_nobody_who_he_is(signed: Built) -> None:
    look = method(signed, "GET")
    query = text(look["Integration"]["RequestTemplates"]["application/json"])

    assert look["AuthorizationType"] == "NONE"
    assert ":apigateway:eu-west-1:dynamodb:action/Query" in text(look["Integration"]["Uri"])
    assert "valid_until > :now" in query
    assert "$context.requestTimeEpoch" in query
    assert "churn" in query


def test_only_the_word_of_the_verdict_itself_can_say_in_service(signed: Built) -> None:
    responses = method(signed, "GET")["Integration"]["IntegrationResponses"]
    templates = [one["ResponseTemplates"]["application/json"] for one in responses]

    assert all('"in-service"' not in one for one in templates)
    assert all('{"status":"stale"}' in one for one in templates)
    assert {one.get("SelectionPattern"): one["StatusCode"] for one in responses} == {"200": "200", None: "503"}


def test_the_api_answers_by_its_own_name_and_by_the_one_name_alone(signed: Built) -> None:
    (api,) = signed.of_type("AWS::ApiGateway::RestApi")
    names = {one["DomainName"]: one for one in signed.of_type(DOMAIN)}
    (certificate,) = signed.of_type("AWS::CertificateManager::Certificate")

    assert api["DisableExecuteApiEndpoint"] is True
    assert api["EndpointConfiguration"] == {"IpAddressType": "dualstack", "Types": ["REGIONAL"]}
    assert {*names} == {"models.example.com", "eu-west-1.models.example.com"}
    assert all(one["SecurityPolicy"] == "TLS_1_2" for one in names.values())
    assert certificate["DomainName"] == "models.example.com"
    assert certificate["SubjectAlternativeNames"] == ["eu-west-1.models.example.com"]
    assert certificate["ValidationMethod"] == "DNS"


def test_records_of_this_region_lead_to_this_region_and_none_is_the_one_name(signed: Built) -> None:
    records = signed.of_type("AWS::Route53::RecordSet")

    assert {(one["Name"], one["Type"]) for one in records} == {
        (f"{name}.", kind)
        for name in ("eu-west-1.models.example.com", "eu-west-1.target.models.example.com")
        for kind in ("A", "AAAA")
    }
    shared = [one for one in records if ".target." in one["Name"]]
    assert all("SharedDomain" in text(one["AliasTarget"]["DNSName"]) for one in shared)


def test_a_region_of_another_account_writes_into_its_own_zone_alone() -> None:
    zone = HostedZoneReference(hosted_zone_id="Z9", zone_name="eu-west-1.models.example.com")
    plan = replace(PLAN, regions={"eu-west-1": RegionalTarget(account=HERE.account, zone=zone)})

    one = Built(plan=plan)

    assert {(record["HostedZoneId"], record["Name"]) for record in one.of_type("AWS::Route53::RecordSet")} == {
        ("Z9", "eu-west-1.models.example.com."),
        ("Z9", "target.eu-west-1.models.example.com."),
    }
    (certificate,) = one.of_type("AWS::CertificateManager::Certificate")
    proofs = {proof["DomainName"]: proof.get("HostedZoneId") for proof in certificate["DomainValidationOptions"]}
    assert proofs["eu-west-1.models.example.com"] == "Z9"
    assert proofs.get("models.example.com") is None


def test_a_region_names_no_other_and_another_region_changes_nothing_here(signed: Built) -> None:
    more = Built(plan=replace(PLAN, regions=[*PLAN.regions, "ap-southeast-2"]))

    assert "us-east-1" not in text(signed.template)
    assert more.template == signed.template


def test_no_partition_is_written_into_a_template() -> None:
    there = Environment(account="123456789012", region="cn-north-1")
    built = Built(env=there, plan=replace(PLAN, regions=["cn-north-1", "cn-northwest-1"]), authorization=JWT)

    assert "arn:aws" not in text(built.template)


def test_requests_are_throttled_logged_traced_and_seen_by_a_firewall(signed: Built) -> None:
    (stage,) = signed.of_type("AWS::ApiGateway::Stage")
    (setting,) = stage["MethodSettings"]
    (acl,) = signed.of_type("AWS::WAFv2::WebACL")

    assert (setting["ThrottlingRateLimit"], setting["ThrottlingBurstLimit"]) == (100, 200)
    assert setting["DataTraceEnabled"] is False
    assert stage["TracingEnabled"] is True
    assert json.loads(stage["AccessLogSetting"]["Format"])["status"] == "$context.status"
    assert [one["Name"] for one in acl["Rules"]][-1] == "RateOfOneAddress"
    (association,) = signed.of_type("AWS::WAFv2::WebACLAssociation")
    assert "/stages/" in text(association["ResourceArn"])
    assert all("KmsKeyId" in one for one in signed.of_type("AWS::Logs::LogGroup"))


def test_what_api_gateway_logs_by_itself_has_an_end_and_goes_with_the_stack(signed: Built) -> None:
    resources = signed.template["Resources"]
    (api,) = (name for name, one in resources.items() if one["Type"] == "AWS::ApiGateway::RestApi")
    (stage,) = (one for one in resources.values() if one["Type"] == "AWS::ApiGateway::Stage")
    name = {"Fn::Join": ["", ["API-Gateway-Execution-Logs_", {"Ref": api}, "/live"]]}
    ((log, group),) = ((key, one) for key, one in resources.items() if one["Properties"].get("LogGroupName") == name)

    assert stage["Properties"]["StageName"] == "live"
    assert stage["Properties"]["MethodSettings"][0]["LoggingLevel"] == "ERROR"
    assert group["DeletionPolicy"] == "Delete"
    assert group["Properties"]["RetentionInDays"] > 0
    assert log in stage["DependsOn"]


def test_rules_that_look_into_bodies_or_for_a_browser_count_and_do_not_block(signed: Built) -> None:
    (acl,) = signed.of_type("AWS::WAFv2::WebACL")
    groups = [one["Statement"].get("ManagedRuleGroupStatement", {}) for one in acl["Rules"]]
    counted = {one["Name"]: one["ActionToUse"] for group in groups for one in group.get("RuleActionOverrides", [])}

    assert counted["SizeRestrictions_BODY"] == counted["NoUserAgent_HEADER"] == {"Count": {}}
    assert {name for name in counted if not name.endswith("_BODY")} == {"NoUserAgent_HEADER"}


def test_every_way_to_know_callers_stands_before_predictions(signed: Built, keyed: Built, tokens: Built) -> None:
    asked = [method(one, "POST") for one in (signed, keyed, tokens)]

    assert [one["AuthorizationType"] for one in asked] == ["AWS_IAM", "NONE", "CUSTOM"]
    assert [one.get("ApiKeyRequired", False) for one in asked] == [False, True, False]


def test_a_caller_that_signs_may_ask_for_predictions_and_nothing_else() -> None:
    built = Built()
    caller = iam.Role(built.stack, "Caller", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    built.api.grant_invoke(caller)

    (policy,) = built.of_type("AWS::IAM::Policy")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    assert "/POST/invocations" in text(statement["Resource"])


def test_one_key_can_serve_in_every_region(keyed: Built) -> None:
    (key,), (plan,) = keyed.of_type("AWS::ApiGateway::ApiKey"), keyed.of_type("AWS::ApiGateway::UsagePlan")

    assert key["Value"] == "{{resolve:secretsmanager:models/key:SecretString:::}}"
    assert plan["Throttle"] == {"BurstLimit": 9, "RateLimit": 5}
    assert keyed.api.api_key is not None


def test_a_token_is_checked_by_a_function_whose_verdict_is_kept(tokens: Built) -> None:
    (authorizer,), (function,) = tokens.of_type("AWS::ApiGateway::Authorizer"), tokens.of_type("AWS::Lambda::Function")

    assert (authorizer["Type"], authorizer["AuthorizerResultTtlInSeconds"]) == ("TOKEN", 60)
    assert function["Environment"]["Variables"] == {"ISSUER": "https://id.example.com/", "AUDIENCE": "models"}


def test_a_user_pool_can_say_who_calls() -> None:
    built = Built()
    pool = cognito.UserPool.from_user_pool_id(built.stack, "Pool", "eu-west-1_abc")
    other = Built(authorization=Authorization.cognito(pool, scopes=["models/ask"]))

    assert method(other, "POST")["AuthorizationType"] == "COGNITO_USER_POOLS"
    assert method(other, "POST")["AuthorizationScopes"] == ["models/ask"]
    assert other.of_type("AWS::ApiGateway::Authorizer")[0]["Type"] == "COGNITO_USER_POOLS"


def test_certificates_are_asked_of_callers_of_the_one_name() -> None:
    stack = Built().stack
    bucket = s3.Bucket.from_bucket_name(stack, "Trust", "our-truststores")
    tls = MutualTls(bucket=bucket, object_key="callers.pem", version="v7")
    names = {one["DomainName"]: one for one in Built(mutual_tls=tls).of_type(DOMAIN)}

    truststore = {"TruststoreUri": "s3://our-truststores/callers.pem", "TruststoreVersion": "v7"}
    assert names["models.example.com"]["MutualTlsAuthentication"] == truststore
    assert "MutualTlsAuthentication" not in names["eu-west-1.models.example.com"]


def test_the_accounts_role_for_logs_is_left_alone_where_something_else_sets_it() -> None:
    assert len(Built().of_type("AWS::ApiGateway::Account")) == 1
    assert Built(sets_account_logging=False).of_type("AWS::ApiGateway::Account") == []

"""Does a deployed regional API answer over HTTP as API Gateway would?"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from botocore.credentials import Credentials

from mlplatform_cdk.local.deploy import destroy
from mlplatform_cdk.local.settings import Settings
from mlplatform_cdk.routing.health_probe.runtime import sending
from mlplatform_cdk.routing.health_probe.runtime.row import VerdictRow
from mlplatform_cdk.routing.regional_api import Throttle
from mlplatform_cdk.runtimekit import aws as runtimekit_aws
from mlplatform_cdk.runtimekit.client import CallFailed, CallRefused, Iam, Unsigned
from mlplatform_cdk.runtimekit.region_health import Evidence, Golden, Observation, Peer, RegionHealth
from tests.local.adapters.api_gateway import drills, features
from tests.local.adapters.api_gateway.fronts import ATTRIBUTES, Client, Front, Reply, caller, serve
from tests.local.sagemaker.conftest import allow, wait_for

DOMAIN = "models.example.com"


@pytest.fixture(scope="module")
def front(client: Client, aws: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    serve(client, aws, tmp_path_factory.mktemp("image"))
    folder = tmp_path_factory.mktemp("front")
    more: dict[str, Any] = {"throttle": Throttle(rate=1, burst=20), "features": features.beside(aws)}
    made = Front(client, aws, folder, DOMAIN, besides=drills.beside, **more)
    features.fill(client)
    yield made
    features.clear(client)
    drill = drills.Drill(client)
    drill.clear()
    execution = drill.start()
    drill.wait_for_step(execution, "Wait")
    destroy(made.assembly, aws)
    assert drill.mended_by(execution) == ["Success"]  # before what mends it went
    assert client("apigateway").get_rest_apis()["items"] == []
    assert client("apigateway").get_domain_names()["items"] == []
    client("sagemaker").delete_endpoint(EndpointName="churn")


@pytest.fixture(scope="module")
def allowed(client: Client, aws: Settings, front: Front) -> Credentials:
    return caller(client, aws, allow("execute-api:Invoke"))


def test_a_signed_call_gets_a_prediction_with_its_headers_there_and_back(front: Front, allowed: Credentials) -> None:
    more = {"Content-Type": "text/csv", "Accept": "application/json", ATTRIBUTES: "trace=7"}
    reply = front.ask("POST", "/invocations", b"1,2,3", signed_by=allowed, **more)

    assert reply.status == 200, reply.body
    seen = {name: reply.json[name] for name in ("length", "type", "accept", "attributes")}
    assert seen == {"length": 5, "type": "text/csv", "accept": "application/json", "attributes": "trace=7"}
    assert reply.headers[ATTRIBUTES] == "from=container"
    assert reply.headers["X-Amzn-Invoked-Production-Variant"] == "AllTraffic"
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["X-Amzn-SageMaker-Request-Id"]


def test_octets_reach_the_model_as_they_are(front: Front, allowed: Credentials) -> None:
    body = bytes(range(256))
    more = {"Content-Type": "application/x-npy"}

    assert front.ask("POST", "/invocations", body, signed_by=allowed, **more).json["length"] == 256


def test_the_regions_own_name_leads_there_too_and_the_default_address_is_shut(
    front: Front, allowed: Credentials
) -> None:
    own = front.plan.regional_name(front.aws.region)
    default = f"{front.ids['AWS::ApiGateway::RestApi']}.execute-api.{front.aws.region}.amazonaws.com"

    assert front.ask("POST", "/invocations", b"{}", host=own, signed_by=allowed).status == 200
    assert front.ask("POST", "/live/invocations", b"{}", host=default, signed_by=allowed).status == 403


def test_an_api_answers_by_its_path_on_the_embedded_aws_itself(front: Front) -> None:
    front.publish("in-service")
    path = f"/restapis/{front.ids['AWS::ApiGateway::RestApi']}/live/_user_request_/health"

    assert front.ask("GET", path, host="localhost").json["status"] == "in-service"


def test_a_failed_model_is_told_from_a_failed_platform(front: Front, allowed: Credentials) -> None:
    reply = front.ask("POST", "/invocations", b"break", signed_by=allowed)

    assert reply.status == 424
    assert reply.json["OriginalStatusCode"] == 500


def test_features_are_read_and_computed_beside_the_endpoint_and_a_key_is_answered_once(
    front: Front, allowed: Credentials
) -> None:
    once = {"X-Idempotency-Key": "order-17"}

    def ask(customer: str, **headers: str) -> Reply:
        body = json.dumps({"customer": customer, "amount": 2}).encode()
        return front.ask("POST", "/predictions", body, signed_by=allowed, **headers)

    first, again = ask("c-17", **once), ask("c-17", **once)
    stranger = front.ask("POST", "/predictions", b"{}")

    asked = json.dumps({"inputs": {"features": [[3, 4.5, 2]]}})
    assert (first.status, first.json["length"]) == (200, len(asked))
    assert (again.body, again.headers["X-Idempotency-Replayed"]) == (first.body, "true")
    with front.connected(Iam(allowed), path="/predictions", keyed=True) as client_of_regions:
        said = client_of_regions.invoke(json.dumps({"customer": "c-17", "amount": 2}), idempotency_key="order-17")
    assert said.body == first.body
    assert ask("c-18", **once).status == 422
    assert ask("c-18").status == 400
    assert stranger.status == 403


def test_the_client_of_many_regions_is_answered_and_knows_a_failed_model_a_refusal_and_a_drain(
    front: Front, allowed: Credentials
) -> None:
    region = front.aws.region

    front.publish("drained")
    with front.connected(Iam(allowed)) as client:
        answer = client.invoke(b"1,2,3", content_type="text/csv", idempotency_key="order-17")
        with pytest.raises(CallFailed, match=f"{region} answered 424"):
            client.invoke(b"break")
        (status,) = client.status()
    with (
        front.connected(Unsigned()) as stranger,
        pytest.raises(CallRefused, match=r"with 403: .*Missing Authentication Token"),
    ):
        stranger.invoke(b"{}")

    assert (json.loads(answer.body)["length"], answer.region, status.state) == (5, region, "out-of-service")
    assert json.loads(answer.body)["inference_id"] == "order-17"  # which the container gets from SageMaker
    assert answer.request_id


def test_the_regions_probe_is_answered_and_others_read_at_health_what_it_has_decided(
    front: Front, client: Client, allowed: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, table = front.plan.regional_name(front.aws.region), front.table
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", allowed.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", allowed.secret_key)
    if allowed.token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", allowed.token)
    sender = sending.Sender(5.0, at={name: f"http://127.0.0.1:{front.aws.port}"})
    asked = sender.send("POST", f"https://{name}/invocations", b"[1]", authorize=sending.signature(front.aws.region))
    monkeypatch.setattr(runtimekit_aws, "client", lambda service, **_: client(service))
    row = VerdictRow(table, "churn", "one")
    state, drain = row.claim(1)
    own = Observation(int(time.time() * 1000), Golden.RIGHT, "0a1b")
    for _ in range(3):
        state, verdict = RegionHealth().fold(state, Evidence(own))
        row.publish(state, verdict, label="churn version 1")
    seen = sender.send("GET", f"https://{name}/health")

    assert (asked.status, asked.variant, drain.by) == (200, "AllTraffic", "")
    assert seen.status == 200
    assert Peer.from_body("here", json.loads(seen.body)).round == 3


def test_a_call_without_a_signature_and_one_without_permission_are_refused(
    front: Front, client: Client, aws: Settings
) -> None:
    unsigned = front.ask("POST", "/invocations", b"{}")
    other = front.ask("POST", "/invocations", b"{}", signed_by=caller(client, aws, allow("s3:*")))

    assert (unsigned.status, unsigned.json) == (403, {"message": "Missing Authentication Token"})
    assert other.status == 403
    assert "is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:" in other.json["Message"]
    assert other.json["Message"].count("/live/POST/invocations") == 1


def test_a_path_that_is_not_there_is_refused_as_api_gateway_refuses_it(front: Front, allowed: Credentials) -> None:
    assert front.ask("GET", "/nothing").json == {"message": "Missing Authentication Token"}
    assert front.ask("GET", "/invocations", signed_by=allowed).status == 403


@pytest.mark.parametrize("status", ["in-service", "out-of-service", "drained"])
def test_health_is_the_last_verdict_and_asks_nobody_who_he_is(front: Front, status: str) -> None:
    front.publish(status)

    reply = front.ask("GET", "/health")

    assert reply.status == (200 if status == "in-service" else 503)
    assert reply.json == {"status": status, "golden": "right", "version": "0a1b"}
    assert (b'"in-service"' in reply.body) == (status == "in-service")
    assert reply.headers["Cache-Control"] == "no-store"


def test_a_verdict_that_is_stale_or_missing_is_no_good_one(front: Front, client: Client) -> None:
    front.publish("in-service", seconds=-0.001)
    stale = front.ask("GET", "/health")
    client("dynamodb").delete_item(TableName=front.table, Key={"endpoint": {"S": "churn"}})
    missing = front.ask("GET", "/health")

    for reply in (stale, missing):
        assert (reply.status, reply.json) == (503, {"status": "stale"})


def test_a_region_that_has_lost_its_endpoint_is_at_fault_and_not_the_request(
    front: Front, client: Client, allowed: Credentials
) -> None:
    sagemaker = client("sagemaker")
    sagemaker.delete_endpoint(EndpointName="churn")
    try:
        with (
            front.connected(Iam(allowed)) as client_of_regions,
            pytest.raises(CallFailed, match=f"{front.aws.region} answered 400"),
        ):
            client_of_regions.invoke(b"1")
        by_the_function = front.ask("POST", "/predictions", b'{"customer": "c-17", "amount": 2}', signed_by=allowed)
    finally:
        sagemaker.create_endpoint(EndpointName="churn", EndpointConfigName="churn")
        wait_for(lambda: sagemaker.describe_endpoint(EndpointName="churn")["EndpointStatus"], "InService".__eq__)

    assert (by_the_function.status, by_the_function.headers["Retry-After"]) == (503, "1")


def test_what_comes_too_fast_is_throttled(front: Front, allowed: Credentials) -> None:
    replies = [front.ask("POST", "/invocations", b"{}", signed_by=allowed) for _ in range(30)]
    refused = [one for one in replies if one.status == 429]

    assert refused
    assert refused[0].json == {"message": "Too Many Requests"}
    assert {one.status for one in replies} == {200, 429} or {one.status for one in replies} == {429}


def test_a_game_day_stops_the_endpoint_for_callers_not_its_health_and_is_judged_by_what_rang(
    front: Front, client: Client, allowed: Credentials
) -> None:
    def answers() -> None:
        """Once its bucket of tokens, which what came before has emptied, is filled at the stage's rate again."""
        wait_for(lambda: front.ask("POST", "/invocations", b"1", signed_by=allowed).status, HTTPStatus.OK.__eq__)

    drill = drills.Drill(client)
    front.publish("in-service")
    with drill.release_running():
        assert "got the release of one" in drill.ended(drill.start())["FailureMessage"]
    answers()
    drill.ring("OK")

    day = drill.start_day()
    (execution,) = wait_for(drill.holders, bool)
    drill.wait_for_step(execution, "Wait")
    assert front.ask("POST", "/invocations", b"1", signed_by=allowed).status == 429
    assert front.ask("POST", "/predictions", b"{}", signed_by=allowed).status == 429
    assert front.ask("GET", "/health").status == 200
    drill.ring("ALARM")
    drill.ring("OK")

    ended = drill.ended(day)
    assert ended["AutomationExecutionStatus"] == "Success", ended["FailureMessage"]
    page = drill.page(day, "stopped")
    assert page.startswith("# stopped: it holds")
    assert f"| {drills.OUT} | within 210 s | " in page
    assert f"| {drills.ALONE} | never | - | no |" in page
    assert drill.page(day, "plan").startswith("# Game day: Autumn")
    answers()


def test_every_request_leaves_a_line_in_the_access_log(front: Front, client: Client) -> None:
    front.ask("GET", "/health", User_Agent="the-access-log")
    group = next(
        one["logGroupName"]
        for one in client("logs").describe_log_groups()["logGroups"]
        if "AccessLog" in one["logGroupName"]
    )

    def lines() -> list[dict[str, str]]:
        found = client("logs").filter_log_events(logGroupName=group)["events"]
        return [json.loads(one["message"]) for one in found]

    (line,) = wait_for(lambda: [one for one in lines() if one["identity.userAgent"] == "the-access-log"], bool)
    assert (line["httpMethod"], line["resourcePath"], line["domainName"]) == ("GET", "/health", DOMAIN)
    assert line["integration.status"] == "200"


def test_what_a_rehearsal_does_not_do_is_named_when_the_stack_is_deployed(front: Front) -> None:
    assert "no rule of a web ACL is evaluated" in front.report.stand_ins["AWS::WAFv2::WebACL"]["why"]
    assert {
        "AWS::ApiGateway::DomainName.SecurityPolicy",
        "AWS::ApiGateway::Stage.MethodSettings.LoggingLevel",
        "AWS::ApiGateway::Stage.MethodSettings.MetricsEnabled",
        "AWS::CertificateManager::Certificate.DomainValidationOptions",
    } <= {*front.report.not_honoured}


def test_records_and_certificate_stand(front: Front, client: Client) -> None:
    records = client("route53").list_resource_record_sets(HostedZoneId=front.zone_id)["ResourceRecordSets"]
    names = {(one["Name"].rstrip("."), one["Type"]) for one in records}
    target = front.plan.target_name(front.aws.region)

    assert {(target, "A"), (target, "AAAA")} <= names
    (certificate,) = client("acm").list_certificates()["CertificateSummaryList"]
    assert certificate["DomainName"] == DOMAIN

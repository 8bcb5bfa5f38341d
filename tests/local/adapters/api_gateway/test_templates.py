"""Do templates, buckets and paths mean what API Gateway's documentation says?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from moto.apigateway.models import RestAPI, apigateway_backends

from mlplatform_cdk.local.adapters.api_gateway import finding, templates
from mlplatform_cdk.local.adapters.api_gateway.exchange import Refusal, media_type
from mlplatform_cdk.local.adapters.api_gateway.throttle import Buckets
from mlplatform_cdk.routing.regional_api.methods import _SAID, STALE


def exchange(**more: Any) -> Any:
    stage = SimpleNamespace(variables={"place": "here"})
    given = {
        "context": {"requestId": "r1", "identity": {"sourceIp": "10.0.0.1"}, "responseOverride": {"header": {}}},
        "headers": {"x-who": "someone"},
        "query": {"id": "7"},
        "deployed": SimpleNamespace(stage=stage, path_parameters={"name": "churn"}),
    }
    return SimpleNamespace(**(given | more))


BODY = '{"a": {"b": [1, 2, {"c": "x"}]}, "text": "it\'s \\"so\\""}'


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$input.path('$.a.b[2].c')", "x"),
        ("$input.json('$.a.b')", '[1, 2, {"c": "x"}]'),
        ("$input.body", BODY),
        ("$input.params('id')/$input.params('name')/$input.params('X-Who')", "7/churn/someone"),
        ("$input.params().querystring.id $input.params('path').name", "7 churn"),
        ("$context.requestId $context.identity.sourceIp", "r1 10.0.0.1"),
        ("$stageVariables.place", "here"),
        ("$util.escapeJavaScript($input.path('$.text'))", 'it\\\'s \\"so\\"'),
        ("$util.base64Encode('abc') $util.base64Decode('YWJj')", "YWJj abc"),
        ("$util.urlEncode('a b&c') $util.urlDecode('a+b%26c')", "a+b%26c a b&c"),
        ("#set($found = $util.parseJson('{\"k\": 3}'))$found.k", "3"),
        ("#foreach($one in $input.path('$.a.b[0:2]'))$one;#end", "1;2;"),
        ("#if($input.path('$.none') == 1)yes#{else}no#end", "no"),
    ],
)
def test_a_template_sees_the_request(template: str, expected: str) -> None:
    assert templates.render(template, exchange(), BODY) == expected


@pytest.mark.parametrize(
    ("answer", "said", "status"),
    [
        ('{"Count": 1, "Items": [{"status": {"S": "in-service"}, "body": {"S": "{\\"a\\": 1}"}}]}', '{"a": 1}', None),
        ('{"Count": 1, "Items": [{"status": {"S": "drained"}, "body": {"S": "{}"}}]}', "{}", 503),
        ('{"Count": 0, "ScannedCount": 1, "Items": []}', STALE, 503),
    ],
)
def test_the_template_of_health_tells_the_verdict(answer: str, said: str, status: int | None) -> None:
    one = exchange()

    assert templates.render(_SAID, one, answer) == said
    assert one.context["responseOverride"].get("status") == status


def test_a_bucket_holds_the_burst_and_is_filled_at_the_rate() -> None:
    now = 0.0
    buckets = Buckets(lambda: now)

    def taken(count: int) -> int:
        return sum(buckets.take(("key",), rate=2, burst=3) for _ in range(count))

    assert taken(5) == 3
    now = 1.0
    assert taken(5) == 2
    now = 100.0
    assert taken(5) == 3


def api() -> RestAPI:
    made = RestAPI("abc", "123456789012", "eu-west-1", "api", "")
    apigateway_backends["123456789012"]["eu-west-1"].apis["abc"] = made
    root = made.root_resource_id
    for part in ("models", "{name}", "{rest+}"):
        child = made.add_child(part, root)
        child.add_method("GET", "NONE", api_key_required=False)
    return made


@pytest.mark.parametrize(
    ("path", "expected", "parameters"),
    [
        ("/models", "/models", {}),
        ("/models/", "/models", {}),
        ("/churn", "/{name}", {"name": "churn"}),
        ("/churn/1", "/{rest+}", {"rest": "churn/1"}),
    ],
)
def test_the_resource_that_says_most_of_the_path_is_asked(path: str, expected: str, parameters: dict[str, str]) -> None:
    made = api()
    made.stages["live"] = object()  # type: ignore[assignment]

    found = finding.method_of(finding.Stage("123456789012", "eu-west-1", made, "live", path, "d"), "GET")

    assert (found.resource.get_path(), dict(found.path_parameters)) == (expected, parameters)


def test_a_stage_that_is_not_there_is_forbidden_and_a_method_is_missing() -> None:
    made = api()
    with pytest.raises(Refusal) as gone:
        finding.method_of(finding.Stage("1", "eu-west-1", made, "live", "/models", "d"), "GET")
    made.stages["live"] = object()  # type: ignore[assignment]
    with pytest.raises(Refusal) as missing:
        finding.method_of(finding.Stage("1", "eu-west-1", made, "live", "/models", "d"), "POST")

    assert (str(gone.value), str(missing.value)) == ("Forbidden", "Missing Authentication Token")


def test_a_request_for_another_host_is_none_of_an_apis() -> None:
    assert finding.stage_of("localhost:5000", "/restapis") is None
    assert finding.stage_of("sqs.eu-west-1.amazonaws.com", "/") is None


@pytest.mark.parametrize(
    ("value", "expected"), [("text/CSV; charset=utf-8", "text/csv"), ("image/webp, */*;q=0.8", "image/webp"), ("", "")]
)
def test_a_media_type_is_the_first_of_its_header_without_parameters(value: str, expected: str) -> None:
    assert media_type(value) == expected

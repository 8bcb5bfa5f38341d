"""What does a region's probe deploy, and may it do exactly what it does?"""

import json
import re
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

from mlplatform_cdk.assembly.check.accepted import split_by_app
from mlplatform_cdk.assembly.check.permissions.check import Permissions
from mlplatform_cdk.assembly.check.templates import templates
from mlplatform_cdk.assembly.reader import read
from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import ArtifactStore, Keys, Notifications, PlatformStack
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.routing import MultiRegionEndpoint, ProbeSettings
from mlplatform_cdk.routing.health_probe import ClientCredentials, HealthProbe, VerdictTable
from mlplatform_cdk.routing.health_probe.credentials import wrong_way_in
from mlplatform_cdk.routing.regional_api import Authorization, RegionalApi
from mlplatform_cdk.serving import Endpoint, ReleasedEndpoint
from tests import linting
from tests.routing.regional_api.building import HERE, PLAN, ZONE


class Built:
    """One region: an endpoint, its API and its probe."""

    def __init__(
        self,
        *,
        outdir: Path | None = None,
        plan: MultiRegionEndpoint = PLAN,
        authorization: Authorization | None = None,
        released: bool = True,
        tells: bool = False,
        **more: Any,
    ) -> None:
        self.app = App(outdir=str(outdir)) if outdir else App()
        self.stack = PlatformStack(self.app, "Front", env=HERE)
        key = Keys(self.stack, "Keys").data
        artifacts = ArtifactStore(self.stack, "Artifacts", key=key)
        endpoint: Endpoint
        if released:
            endpoint = ReleasedEndpoint(self.stack, "Endpoint", endpoint_name="churn", artifacts=artifacts, key=key)
            more.setdefault("registry", ModelRegistry.from_group_name(self.stack, "Registry", "churn"))
        else:
            endpoint = Endpoint.from_endpoint_name(self.stack, "Endpoint", "churn")
        verdicts = VerdictTable(self.stack, "Verdicts", key=key)
        api = RegionalApi(
            self.stack, "Api", plan=plan, endpoint=endpoint, verdicts=verdicts, key=key, authorization=authorization
        )
        if tells:
            more["notifications"] = Notifications(self.stack, "Topic", key=key)
        self.probe = HealthProbe(
            self.stack,
            "Probe",
            plan=plan,
            endpoint=endpoint,
            api=api,
            verdicts=verdicts,
            artifacts=artifacts,
            key=key,
            **more,
        )

    @cached_property
    def template(self) -> dict[str, Any]:
        return Template.from_stack(self.stack).to_json()

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        found = self.template["Resources"].items()
        return {id_: one["Properties"] for id_, one in found if one["Type"] == kind}


RUNTIME = "mlplatform_cdk.routing.health_probe.runtime"
HANDLER = f"{RUNTIME.replace('.', '/')}/handler.py"
KEYED = Authorization.api_key()
JWT = Authorization.jwt(issuer="https://issuer.example.com", audience=["models"])
TOKEN = ClientCredentials(
    secret_name="models/probe", token_url="https://issuer.example.com/token", scopes=["models/ask"]
)
TEMPLATED = {"released": False, "manifest_key": "runs/1/manifest.json"}


@pytest.fixture(scope="module")
def built() -> Built:
    return Built()


def settings_of(one: Built) -> dict[str, Any]:
    functions = one.of_type("AWS::Lambda::Function")
    (found,) = (made for id_, made in functions.items() if id_.startswith("ProbeFunction"))
    variables: dict[str, Any] = found["Environment"]["Variables"]
    return variables


def test_the_probe_knows_its_region_by_the_plan_and_names_no_other(built: Built) -> None:
    settings = settings_of(built)

    assert settings["REGIONAL_NAMES"] == "{region}.models.example.com"
    assert (settings["INTERVAL_S"], settings["UNHEALTHY_AFTER"], settings["HEALTHY_AFTER"]) == ("10", "3", "5")
    assert settings["OVERHEAD_MS"] == "250"
    assert "us-east-1" not in json.dumps(built.template)


def test_one_more_region_changes_nothing_in_the_others(built: Built) -> None:
    regions = [*PLAN.targets, "ap-southeast-2"]
    more = Built(plan=MultiRegionEndpoint(domain_name=PLAN.domain_name, zone=ZONE, regions=regions))

    assert more.template == built.template


def test_a_run_begins_every_minute_and_lasts_longer(built: Built) -> None:
    (rule,) = built.of_type("AWS::Events::Rule").values()
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    (target,) = rule["Targets"]
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    assert "DeadLetterConfig" in target
    functions = built.of_type("AWS::Lambda::Function")
    assert [one["Timeout"] for id_, one in functions.items() if id_.startswith("ProbeFunction")] == [120]


def test_the_alarm_that_route_53_reads_has_the_plans_name_and_a_metric_of_minutes(built: Built) -> None:
    alarms = {one["AlarmName"]: one for one in built.of_type("AWS::CloudWatch::Alarm").values()}

    out = alarms[PLAN.alarm_name("eu-west-1")]
    assert (out["MetricName"], out["Statistic"], out["Period"]) == ("InService", "Minimum", 60)
    assert (out["ComparisonOperator"], out["Threshold"]) == ("LessThanThreshold", 1)
    assert out["TreatMissingData"] == "breaching"
    assert "DatapointsToAlarm" not in out
    bad = alarms["models.example.com-eu-west-1-wrong-everywhere"]
    assert (bad["MetricName"], bad["Period"], bad["TreatMissingData"]) == ("WrongEverywhere", 10, "notBreaching")
    assert "models.example.com-eu-west-1-nothing-right" in alarms
    differ = alarms["models.example.com-eu-west-1-versions-differ"]
    assert (differ["MetricName"], differ["Statistic"], differ["TreatMissingData"]) == (
        "VersionsDiffer",
        "Minimum",
        "notBreaching",
    )
    assert (differ["ComparisonOperator"], differ["Threshold"]) == ("GreaterThanThreshold", 2 * 24 * 3600)


def test_a_region_whose_callers_nobody_would_take_over_rings(built: Built) -> None:
    alarms = {one["AlarmName"]: one for one in built.of_type("AWS::CloudWatch::Alarm").values()}

    alone = alarms["models.example.com-eu-west-1-alone"]
    assert (alone["MetricName"], alone["Statistic"], alone["Threshold"]) == ("OthersInService", "Maximum", 1)
    assert alone["TreatMissingData"] == "notBreaching"  # as where there are no others


def test_people_hear_of_alarms_where_they_ask_to() -> None:
    one = Built(tells=True)

    assert all(len(alarm["AlarmActions"]) == 1 for alarm in one.of_type("AWS::CloudWatch::Alarm").values())
    (policy,) = one.of_type("AWS::SNS::TopicPolicy").values()
    assert "alarm:models.example.com-eu-west-1-*" in json.dumps(policy)


def test_the_settings_follow_the_plan() -> None:
    probe = ProbeSettings(interval_s=5, unhealthy_after=2, healthy_after=3)
    plan = MultiRegionEndpoint(domain_name=PLAN.domain_name, zone=ZONE, regions=["eu-west-1"], probe=probe)

    settings = settings_of(Built(plan=plan, overhead=timedelta(seconds=1), authorization=KEYED))

    assert (settings["INTERVAL_S"], settings["UNHEALTHY_AFTER"], settings["HEALTHY_AFTER"]) == ("5", "2", "3")
    assert settings["OVERHEAD_MS"] == "1000"
    assert "API_KEY_ID" in settings


def test_a_probe_has_a_way_in_by_tokens_only_where_clients_have_one() -> None:
    pool = cognito.UserPool.from_user_pool_id(Stack(), "Pool", "eu-west-1_abc")
    users, clients = Authorization.cognito(pool), Authorization.cognito(pool, scopes=["models/ask"])

    assert "got cognito without scopes" in wrong_way_in(users, TOKEN)
    assert wrong_way_in(clients, TOKEN) == ""
    assert TOKEN.settings(clients) | {"TOKEN_SCHEME": "Bearer"} == TOKEN.settings(JWT)
    with pytest.raises(ValueError, match="token_url must be an https address"):
        ClientCredentials(secret_name="s", token_url="http://issuer.example.com")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"authorization": JWT}, r"token must be given where the API asks for one \(jwt\), got none"),
        ({"token": TOKEN}, "token must be given for jwt and cognito only, got one for iam"),
        ({"release_takes": timedelta(0)}, "release_takes must be a minute or more, got 0 s"),
        ({"released": False}, "either registry or manifest_key must be given, got neither"),
        ({"manifest_key": "runs/m.json"}, "either registry or manifest_key must be given, got both"),
        ({"released": False, "manifest_key": "m.json"}, "manifest_key must begin with 'runs/', got 'm.json'"),
        ({"overhead": timedelta(seconds=-1)}, "overhead must be 0 or more, got -1 s"),
    ],
)
def test_what_could_not_work_is_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Built(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"authorization": KEYED}, TEMPLATED, {"authorization": JWT, "token": TOKEN}],
    ids=["released", "keyed", "templated", "token"],
)
def test_nothing_is_found_and_the_role_allows_exactly_what_the_code_calls(
    tmp_path: Path, arguments: dict[str, Any]
) -> None:
    one = Built(outdir=tmp_path, **arguments)
    sqs.Queue(one.stack, "Bare")
    packs = (AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks)
    Validations.of(one.app).add_plugins(*(pack(one.app) for pack in packs))
    with suppress(RuntimeError):  # for the findings on the queue
        one.app.synth()

    report = (tmp_path / "validation-report.json").read_text()
    assert {*re.findall(r'"constructPath": "Front/(\w+)', report)} == {"Bare"}  # which shows that the packs have looked
    assert linting.findings(tmp_path / "Front.template.json", HERE.region) == []
    (asset,) = (one for one in tmp_path.glob("asset.*") if (one / HANDLER).is_file())
    program = f"import sys; sys.path.insert(0, {str(asset)!r}); import {RUNTIME}.handler"
    # The standard library alone: boto3 comes with the first call.
    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True)
    looked_at, permissions = templates(read(tmp_path)), Permissions()
    found = tuple(one for template in looked_at for one in permissions.findings(template))
    ours = [one for one in split_by_app(looked_at, found)[0] if "/Probe/" in f"{one.construct_path}/"]
    assert [f"{one.rule}: {one.message}" for one in ours] == []

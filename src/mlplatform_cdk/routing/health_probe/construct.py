"""A region's own probe: golden requests through the API to the model, every few seconds, and a verdict."""

from datetime import timedelta

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import (
    ConfigurationError,
    PlatformFunction,
    acknowledge,
    acknowledge_wildcards,
    arn_of,
    dead_letters_of,
    grant,
    grant_read,
    partition_of,
    permission,
    region_of,
)
from mlplatform_cdk.foundation import Network
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.routing.addresses import publish_address
from mlplatform_cdk.routing.health_probe.alarms import ProbeAlarms
from mlplatform_cdk.routing.health_probe.credentials import ClientCredentials, wrong_way_in
from mlplatform_cdk.routing.health_probe.verdicts import VerdictTable
from mlplatform_cdk.routing.plan import MultiRegionEndpoint
from mlplatform_cdk.routing.regional_api.model_api import ModelApi
from mlplatform_cdk.runtimekit.region_address import RegionAddress
from mlplatform_cdk.serving import Endpoint, ReleasedEndpoint

RUNTIME = "mlplatform_cdk.routing.health_probe.runtime"
_TIMEOUT = Duration.minutes(2)  # a run lasts 100 s, and a round more at most
_QUARTER_OF_A_SECOND = timedelta(milliseconds=250)
TWO_DAYS = timedelta(days=2)
_RUNS = "runs/"


class HealthProbe(Construct):
    """Asks this region what callers ask, judges the answers, and leaves a verdict for Route 53 and the alarms.

    Each round sends three golden requests of the versions that the endpoint serves through the region's own name, holds
    each answer against the manifest of the variant that gave it, and 99 % of the times against the manifest's budget
    and ``overhead``; reads what the other regions publish; and decides by ``runtimekit.region_health``, whose promises
    are in docs/region-health.md. It finds the other regions by their names, so that no region's template names another.

    ``alarms.wrong_everywhere`` rings for a version that is wrong wherever it serves: give it to
    ``ReleaseAlarms(business=[...])``, so that it takes the release back.

    :param plan: the regions and their names, and how the probe asks.
    :param endpoint: what answers.
    :param api: the region's API.
    :param verdicts: where the verdict goes; the API reads the same.
    :param artifacts: where the models' manifests lie, under ``runs/``.
    :param key: encrypts the function's settings and logs.
    :param registry: whose versions the endpoint serves; default: those of a template, see ``manifest_key``.
    :param manifest_key: the manifest of an endpoint whose models no registry has, a key of ``artifacts`` that begins
        with ``runs/``; default: the registry knows it.
    :param overhead: what the way through the API may take, besides the budget of the model's manifest; default: 250 ms.
    :param token: how the probe gets a token, where the API knows its callers by ``jwt`` or by ``cognito`` with scopes;
        default: it signs, or carries the API's key.
    :param release_takes: for how long regions may serve different versions while none of them changes: what a release
        takes in one region, and the approval before it; default: two days, of which the default strategy takes one.
    :param notifications: where each alarm is told; default: nowhere.
    :param network: where the function stands, as one of its jobs: an ``InternalApi`` is reached from inside only, and
        so are those of the other regions (its ``other_vpcs``); default: outside any VPC.
    """

    def __init__(  # noqa: PLR0913 - each argument but the first eight has a default
        self,
        scope: Construct,
        id: str,
        *,
        plan: MultiRegionEndpoint,
        endpoint: Endpoint,
        api: ModelApi,
        verdicts: VerdictTable,
        artifacts: s3.IBucket,
        key: kms.IKey,
        registry: ModelRegistry | None = None,
        manifest_key: str = "",
        overhead: timedelta = _QUARTER_OF_A_SECOND,
        token: ClientCredentials | None = None,
        release_takes: timedelta = TWO_DAYS,
        notifications: sns.ITopic | None = None,
        network: Network | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._check(registry, manifest_key, overhead, release_takes)
        if wrong := wrong_way_in(api.authorization, token):
            raise ConfigurationError(self, wrong)
        region, probe = region_of(self), plan.probe
        pattern = plan.regional_name(region).replace(region, "{region}", 1)
        settings = {
            "ENDPOINT_NAME": endpoint.endpoint_name,
            "VERDICT_TABLE": verdicts.table_name,
            "DOMAIN_NAME": plan.domain_name,
            "REGIONAL_NAMES": pattern,
            "INTERVAL_S": str(probe.interval_s),
            "UNHEALTHY_AFTER": str(probe.unhealthy_after),
            "HEALTHY_AFTER": str(probe.healthy_after),
            "OVERHEAD_MS": f"{overhead.total_seconds() * 1000:g}",
        }
        if manifest_key:
            settings["MANIFEST_URI"] = f"s3://{artifacts.bucket_name}/{manifest_key}"
        if api.api_key is not None:
            settings["API_KEY_ID"] = api.api_key.key_id
        if token is not None:
            settings |= token.settings(api.authorization)
        self.function = PlatformFunction(
            self,
            "Function",
            package=RUNTIME,
            description=f"Judges {plan.domain_name} in {region}, round after round",
            timeout=_TIMEOUT,
            environment=settings,
            key=key,
            vpc=network.vpc if network else None,
            security_groups=[network.job_security_group] if network else None,
        )
        self._grant(endpoint, verdicts, artifacts, registry)
        self._let_in(api, token)
        self._define_schedule(plan)
        #: ``out_of_service``, which Route 53 reads, and the others of docs/region-health.md, such as ``alone``.
        self.alarms = ProbeAlarms(self, "Alarms", plan=plan, release_takes=release_takes, notifications=notifications)
        self._verdicts = verdicts
        self._address = RegionAddress(
            domain=plan.domain_name,
            region=region,
            endpoint=endpoint.endpoint_name,
            table=verdicts.table_name,
            alarm=plan.alarm_name(region),
        )
        publish_address(self, self._address, f"Where the verdict on {plan.domain_name} in {region} lives")

    def grant_status(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` look at this region by ``mlplatform region status``, and change nothing."""
        self._verdicts.grant_look(grantee)
        grant(
            grantee,
            permission(["ssm:GetParameter"], arn_of(self, "ssm", f"parameter{self._address.parameter}")),
            permission(["cloudwatch:DescribeAlarms"], arn_of(self, "cloudwatch", f"alarm:{self._address.alarm}")),
        )

    def grant_drain(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee``, such as a team's role, drain this region and restore it by ``mlplatform region``.

        It looks at the other regions first, so that it does not take the last one: give it ``grant_status`` there.
        """
        self._verdicts.grant_drain(grantee)
        self.grant_status(grantee)

    def _check(
        self, registry: ModelRegistry | None, manifest_key: str, overhead: timedelta, release_takes: timedelta
    ) -> None:
        if (registry is None) == (not manifest_key):
            came = "both" if manifest_key else "neither"
            raise ConfigurationError(self, f"either registry or manifest_key must be given, got {came}")
        if manifest_key and not manifest_key.startswith(_RUNS):
            raise ConfigurationError(self, f"manifest_key must begin with {_RUNS!r}, got {manifest_key!r}")
        if overhead < timedelta(0):
            raise ConfigurationError(self, f"overhead must be 0 or more, got {overhead.total_seconds():g} s")
        if release_takes < timedelta(minutes=1):
            raise ConfigurationError(
                self, f"release_takes must be a minute or more, got {release_takes.total_seconds():g} s"
            )

    def _grant(
        self,
        endpoint: Endpoint,
        verdicts: VerdictTable,
        artifacts: s3.IBucket,
        registry: ModelRegistry | None,
    ) -> None:
        role = self.function.platform_role
        verdicts.grant_publish(self.function)
        grant_read(artifacts, self.function, prefix=_RUNS)
        role.allow(permission(["sagemaker:DescribeEndpoint"], endpoint.endpoint_arn))
        if registry is not None:
            prefix = endpoint.specification.name_prefix if isinstance(endpoint, ReleasedEndpoint) else ""
            configurations = arn_of(self, "sagemaker", f"endpoint-config/{prefix}*")
            models = arn_of(self, "sagemaker", f"model/{prefix}*")
            role.allow(
                permission(["sagemaker:DescribeEndpointConfig"], configurations),
                permission(["sagemaker:DescribeModel"], models),
            )
            reason = "releases or CloudFormation name them; they are only described"
            acknowledge_wildcards(role, {configurations: reason, models: reason})
            registry.grant_describe(self.function)
        else:
            acknowledge(role, _WITHOUT_REGISTRY)

    def _let_in(self, api: ModelApi, token: ClientCredentials | None) -> None:
        """What the way in takes: the right to ask, or that to read a key, or that to read a secret."""
        role = self.function.platform_role
        if token is not None:
            token.grant_read(self, self.function)
            acknowledge(role, _READS_NO_KEY)
            return
        acknowledge(role, _GETS_NO_TOKEN)
        if api.api_key is None:
            api.grant_invoke(self.function)
            acknowledge(role, _READS_NO_KEY | _SIGNS)
        else:
            place = f"arn:{partition_of(self)}:apigateway:{region_of(self)}::"
            role.allow(permission(["apigateway:GET"], f"{place}/apikeys/{api.api_key.key_id}"))

    def _define_schedule(self, plan: MultiRegionEndpoint) -> None:
        events.Rule(
            self,
            "EveryMinute",
            description=f"Keeps the probe of {plan.domain_name} going",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[
                targets.LambdaFunction(
                    self.function,
                    event=events.RuleTargetInput.from_object({}),
                    dead_letter_queue=dead_letters_of(self),
                    retry_attempts=0,  # the next minute's run is the retry
                    max_event_age=Duration.minutes(1),
                )
            ],
        )


_WITHOUT_REGISTRY = {
    f"permission-missing[sagemaker:{call}]": "the probe was given the manifest, and looks nothing up"
    for call in ("DescribeEndpointConfig", "DescribeModel", "DescribeModelPackage")
}
_READS_NO_KEY = {"permission-missing[apigateway:GET]": "the probe signs or has a token, and reads no key"}
_GETS_NO_TOKEN = {
    "permission-missing[secretsmanager:GetSecretValue]": "the probe signs or carries a key, and gets no token"
}
_SIGNS = {
    "permission-unused[execute-api:Invoke]": "the probe signs its requests itself, by no client that the check sees",
}

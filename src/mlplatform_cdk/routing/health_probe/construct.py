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
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.routing.addresses import publish_address
from mlplatform_cdk.routing.health_probe.alarms import ProbeAlarms
from mlplatform_cdk.routing.health_probe.verdicts import VerdictTable
from mlplatform_cdk.routing.plan import MultiRegionEndpoint
from mlplatform_cdk.routing.regional_api import RegionalApi
from mlplatform_cdk.runtimekit.region_address import RegionAddress
from mlplatform_cdk.serving import Endpoint, ReleasedEndpoint

RUNTIME = "mlplatform_cdk.routing.health_probe.runtime"
_TIMEOUT = Duration.minutes(2)  # a run lasts 100 s, and a round more at most
_QUARTER_OF_A_SECOND = timedelta(milliseconds=250)
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
    :param api: the region's API, which must know its callers by IAM or by a key.
    :param verdicts: where the verdict goes; the API reads the same.
    :param artifacts: where the models' manifests lie, under ``runs/``.
    :param key: encrypts the function's settings and logs.
    :param registry: whose versions the endpoint serves; default: those of a template, see ``manifest_key``.
    :param manifest_key: the manifest of an endpoint whose models no registry has, a key of ``artifacts`` that begins
        with ``runs/``; default: the registry knows it.
    :param overhead: what the way through the API may take, besides the budget of the model's manifest; default: 250 ms.
    :param notifications: where each alarm is told; default: nowhere.
    """

    def __init__(  # noqa: PLR0913 - each argument but the first eight has a default
        self,
        scope: Construct,
        id: str,
        *,
        plan: MultiRegionEndpoint,
        endpoint: Endpoint,
        api: RegionalApi,
        verdicts: VerdictTable,
        artifacts: s3.IBucket,
        key: kms.IKey,
        registry: ModelRegistry | None = None,
        manifest_key: str = "",
        overhead: timedelta = _QUARTER_OF_A_SECOND,
        notifications: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._check(api, registry, manifest_key, overhead)
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
        self.function = PlatformFunction(
            self,
            "Function",
            package=RUNTIME,
            description=f"Judges {plan.domain_name} in {region}, round after round",
            timeout=_TIMEOUT,
            environment=settings,
            key=key,
        )
        self._grant(endpoint, api, verdicts, artifacts, registry)
        self._define_schedule(plan)
        #: ``out_of_service``, which Route 53 reads, ``nothing_right`` and ``wrong_everywhere``.
        self.alarms = ProbeAlarms(self, "Alarms", plan=plan, notifications=notifications)
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

    def _check(self, api: RegionalApi, registry: ModelRegistry | None, manifest_key: str, overhead: timedelta) -> None:
        kind = api.authorization.kind
        if kind not in {"iam", "api_key"}:
            raise ConfigurationError(
                self, f"the probe signs or carries a key, so the API's authorization must be iam or api_key, got {kind}"
            )
        if (registry is None) == (not manifest_key):
            came = "both" if manifest_key else "neither"
            raise ConfigurationError(self, f"either registry or manifest_key must be given, got {came}")
        if manifest_key and not manifest_key.startswith(_RUNS):
            raise ConfigurationError(self, f"manifest_key must begin with {_RUNS!r}, got {manifest_key!r}")
        if overhead < timedelta(0):
            raise ConfigurationError(self, f"overhead must be 0 or more, got {overhead.total_seconds():g} s")

    def _grant(
        self,
        endpoint: Endpoint,
        api: RegionalApi,
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
        if api.api_key is None:
            api.grant_invoke(self.function)
            acknowledge(role, _SIGNS)
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
_SIGNS = {
    "permission-missing[apigateway:GET]": "the probe signs, and reads no key",
    "permission-unused[execute-api:Invoke]": "the probe signs its requests itself, by no client that the check sees",
}

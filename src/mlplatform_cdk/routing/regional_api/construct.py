"""One region's API: predictions straight from SageMaker's runtime, and the region's health, for everyone to see."""

from collections.abc import Sequence
from typing import Protocol

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from mlplatform_cdk.core import (
    ConfigurationError,
    PlatformRole,
    accept_checkov,
    account_of,
    acknowledge,
    acknowledge_controls,
    grant_actions,
    is_known,
    region_of,
    service_principal,
)
from mlplatform_cdk.core.functions import LOG_RETENTION
from mlplatform_cdk.routing.plan import MultiRegionEndpoint
from mlplatform_cdk.routing.regional_api import access_log, methods
from mlplatform_cdk.routing.regional_api.account_logging import account_logging_of
from mlplatform_cdk.routing.regional_api.authorization import Authorization
from mlplatform_cdk.routing.regional_api.firewall import THIRTY_THOUSAND, Firewall, WebAcl
from mlplatform_cdk.routing.regional_api.guard import Guard
from mlplatform_cdk.routing.regional_api.names import MutualTls, RegionalNames
from mlplatform_cdk.routing.regional_api.throttle import ONE_HUNDRED_A_SECOND, Throttle
from mlplatform_cdk.serving import Endpoint

STAGE = "live"

# What our serving container speaks beside text, and pictures. API Gateway takes one pattern only, ``*/*``, with which
# the template of ``/health`` would be given its text in base 64:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
BINARY_TYPES = ("application/octet-stream", "application/x-npy", "application/x-npz", "image/jpeg", "image/png")


class Verdicts(Protocol):
    """Where the region's probe leaves its verdict; see ``VerdictTable``."""

    table_name: str

    def grant_read_verdict(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` query the table, and nothing more."""


class RegionalApi(Construct):
    """What callers of one region reach: ``POST /invocations`` and ``GET /health``, without a Lambda on the way.

    ``/invocations`` is ``InvokeEndpoint`` of the endpoint: body, content type, ``Accept`` and custom attributes as
    SageMaker takes them, with its answer, its status (424 where the model failed) and the id of its request
    (``X-Amzn-SageMaker-Request-Id``). A body may have 6 MiB, and an answer must come within 29 s; neither can be
    raised by this API: ``methods.invocations`` names the sources.

    ``/health`` is the probe's last verdict, for as long as it counts: ``"status": "in-service"`` with 200, and
    anything else with 503, ``{"status":"stale"}`` too. It asks nobody who he is.

    It answers by the region's own name and by the one name that all regions share; its default address is shut.

    :param plan: the regions and their names.
    :param endpoint: what answers.
    :param verdicts: where the region's probe leaves its verdict.
    :param key: encrypts the logs.
    :param authorization: who may ask for predictions; default: whoever signs and may ``execute-api:Invoke``.
    :param throttle: how many requests the API takes, and each key, if there are keys; default: 100 in a second.
    :param firewall: the web ACL; default: AWS's managed rules, and 30,000 requests of an address in five minutes.
    :param mutual_tls: asks callers of the one name for a certificate; default: nobody is asked.
    :param binary_types: media types that are no text, by their whole names; a request's ``Content-Type`` and an
        answer's ``Accept`` tell; default: what the platform's container speaks, and pictures.
    :param sets_account_logging: whether this stack sets the role by which API Gateway writes logs, one for an account
        and region; False where something else sets it; default: yes.
    """

    def __init__(  # noqa: PLR0913 - each argument but the first four has a default
        self,
        scope: Construct,
        id: str,
        *,
        plan: MultiRegionEndpoint,
        endpoint: Endpoint,
        verdicts: Verdicts,
        key: kms.IKey,
        authorization: Authorization | None = None,
        throttle: Throttle = ONE_HUNDRED_A_SECOND,
        firewall: Firewall = THIRTY_THOUSAND,
        mutual_tls: MutualTls | None = None,
        binary_types: Sequence[str] = BINARY_TYPES,
        sets_account_logging: bool = True,
    ) -> None:
        super().__init__(scope, id)
        self._check(plan, binary_types)
        self.plan = plan
        self.authorization = authorization or Authorization.iam()
        self.api = self._define_api(throttle, binary_types, key)
        if sets_account_logging:
            self.api.deployment_stage.node.add_dependency(account_logging_of(self))
        guard = Guard(self, "Guard", authorization=self.authorization, endpoint_name=endpoint.endpoint_name, key=key)
        self._define_methods(endpoint, verdicts, guard)
        self.api_key = guard.define_key(self.api, throttle)
        self.names = RegionalNames(
            self, "Names", plan=plan, region=region_of(self), api=self.api, mutual_tls=mutual_tls
        )
        self.firewall = WebAcl(self, "Firewall", firewall=firewall, stage_arn=methods.stage_arn(self.api), key=key)
        self._accept_findings()

    @property
    def url(self) -> str:
        """Where this region alone answers."""
        return f"https://{self.plan.regional_name(region_of(self))}"

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` ask for predictions here, where the API asks for a signature."""
        return grant_actions(grantee, ["execute-api:Invoke"], methods.invoke_arn(self.api))

    def _check(self, plan: MultiRegionEndpoint, binary_types: Sequence[str]) -> None:
        region = region_of(self)
        if region not in plan.targets:
            regions = ", ".join(plan.targets)
            raise ConfigurationError(self, f"the stack must be in one of the plan's regions ({regions}), got {region}")
        meant, here = plan.targets[region].account, account_of(self)
        if meant is not None and is_known(here) and meant != here:
            raise ConfigurationError(self, f"the stack must be in the account of {region} ({meant}), got {here}")
        if plan.zone.private:
            raise ConfigurationError(
                self, "the plan's zone must be public, since everyone reaches this API, got a private one; name another"
            )
        if patterns := [one for one in binary_types if "*" in one]:
            raise ConfigurationError(self, f"binary_types must be whole names of media types, got {patterns[0]!r}")

    def _define_api(self, throttle: Throttle, binary_types: Sequence[str], key: kms.IKey) -> apigateway.RestApi:
        self.access_log = logs.LogGroup(
            self, "AccessLog", retention=LOG_RETENTION, removal_policy=RemovalPolicy.DESTROY, encryption_key=key
        )
        return apigateway.RestApi(
            self,
            "Api",
            description=f"{self.plan.domain_name} in {region_of(self)}",
            # As its custom domains: with the default address shut, the narrower of the two counts.
            # https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-custom-domain-ip-address-type.html
            endpoint_configuration=apigateway.EndpointConfiguration(
                types=[apigateway.EndpointType.REGIONAL], ip_address_type=apigateway.IpAddressType.DUAL_STACK
            ),
            disable_execute_api_endpoint=True,
            binary_media_types=[*binary_types],
            cloud_watch_role=False,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                access_log_destination=apigateway.LogGroupLogDestination(self.access_log),
                access_log_format=apigateway.AccessLogFormat.custom(access_log.LINE),
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,  # it would log what customers send
                metrics_enabled=True,
                tracing_enabled=True,
                throttling_rate_limit=throttle.rate,
                throttling_burst_limit=throttle.burst,
            ),
        )

    def _define_methods(self, endpoint: Endpoint, verdicts: Verdicts, guard: Guard) -> None:
        asker = self._role("Invoker", f"Asks the endpoint {endpoint.endpoint_name} for {self.plan.domain_name}")
        endpoint.grant_invoke(asker)
        self.api.root.add_resource("invocations").add_method(
            "POST",
            methods.invocations(asker, endpoint.endpoint_name),
            **guard.method_options(self.api),
            **methods.invocation_options(),
        )
        reader = self._role("HealthReader", f"Reads the verdict on {endpoint.endpoint_name}")
        verdicts.grant_read_verdict(reader)
        look = self.api.root.add_resource("health").add_method(
            "GET",
            methods.health(reader, verdicts.table_name, endpoint.endpoint_name),
            authorization_type=apigateway.AuthorizationType.NONE,
            method_responses=methods.health_responses(),
        )
        reason = "Route 53's health checkers cannot sign; the answer is a word on the region's health and a version"
        acknowledge(look, {"AwsSolutions-APIG4": reason, "AwsSolutions-COG4": reason})
        accept_checkov(look, {"CKV_AWS_59": reason}, is_new=True)

    def _role(self, id: str, description: str) -> PlatformRole:
        return PlatformRole(self, id, assumed_by=service_principal("apigateway.amazonaws.com"), description=description)

    def _accept_findings(self) -> None:
        unseen = "the model checks what it is sent; API Gateway knows no tensors"
        acknowledge(self.api, {"AwsSolutions-APIG2": unseen})
        if self.authorization.kind != "cognito":
            acknowledge(self.api, {"AwsSolutions-COG4": f"callers are known by {self.authorization.kind}"})
        stage = self.api.deployment_stage
        uncached = "an answer is that of one body, and a verdict must be fresh: nothing is cached"
        known = "both integrations are AWS's own services, which know the API by its role, not by a certificate"
        acknowledge_controls(stage, {"APIGWCacheEnabledAndEncrypted": uncached, "APIGWSSLEnabled": known})
        accept_checkov(stage, {"CKV_AWS_120": uncached}, is_new=True)

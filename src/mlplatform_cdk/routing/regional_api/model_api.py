"""What every API in front of a model has, whoever may reach it: the methods, who may call, throttles and logs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

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
from mlplatform_cdk.routing.feature_function import FeatureFunction
from mlplatform_cdk.routing.plan import MultiRegionEndpoint
from mlplatform_cdk.routing.regional_api import access_log, methods
from mlplatform_cdk.routing.regional_api.account_logging import account_logging_of
from mlplatform_cdk.routing.regional_api.authorization import Authorization
from mlplatform_cdk.routing.regional_api.guard import Guard
from mlplatform_cdk.routing.regional_api.throttle import Throttle
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What an API serves, and to whom: the arguments that ``RegionalApi`` and ``InternalApi`` share."""

    plan: MultiRegionEndpoint
    endpoint: Endpoint
    verdicts: Verdicts
    key: kms.IKey
    authorization: Authorization
    throttle: Throttle
    binary_types: Sequence[str]
    sets_account_logging: bool
    features: FeatureFunction | None


class ModelApi(Construct):
    """``POST /invocations`` and ``GET /health`` of one region's endpoint, without a Lambda on the way.

    With ``features``, ``POST /predictions`` is answered by that function.
    """

    plan: MultiRegionEndpoint
    endpoint_name: str
    predicting: Sequence[str]
    authorization: Authorization
    api: apigateway.RestApi
    api_key: apigateway.IApiKey | None
    access_log: logs.LogGroup
    execution_log: logs.LogGroup

    @property
    def url(self) -> str:
        """Where this region alone answers."""
        return f"https://{self.plan.regional_name(region_of(self))}"

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` ask for predictions here, where the API asks for a signature."""
        return grant_actions(grantee, ["execute-api:Invoke"], *self._paths)

    def _check(self, plan: MultiRegionEndpoint, binary_types: Sequence[str]) -> None:
        region = region_of(self)
        if region not in plan.targets:
            regions = ", ".join(plan.targets)
            raise ConfigurationError(self, f"the stack must be in one of the plan's regions ({regions}), got {region}")
        meant, here = plan.targets[region].account, account_of(self)
        if meant is not None and is_known(here) and meant != here:
            raise ConfigurationError(self, f"the stack must be in the account of {region} ({meant}), got {here}")
        if patterns := [one for one in binary_types if "*" in one]:
            raise ConfigurationError(self, f"binary_types must be whole names of media types, got {patterns[0]!r}")

    def _define(
        self, served: Served, reached: apigateway.EndpointConfiguration, policy: iam.PolicyDocument | None = None
    ) -> None:
        """The API, reached as ``reached`` says; ``policy`` is its resource policy."""
        self.plan, self.authorization = served.plan, served.authorization
        self.api = self._define_api(served, reached, policy)
        if served.sets_account_logging:
            self.api.deployment_stage.node.add_dependency(account_logging_of(self))
        self.endpoint_name = name = served.endpoint.endpoint_name
        guard = Guard(self, "Guard", authorization=served.authorization, endpoint_name=name, key=served.key)
        guarded = guard.method_options(self.api)
        self._define_methods(served.endpoint, served.verdicts, guarded)
        self._paths = [methods.invoke_arn(self.api)]
        #: The paths on which the endpoint is asked.
        self.predicting = ["/invocations"]
        if served.features is not None:
            self._define_predictions(served.features, guarded)
            self.predicting = ["/invocations", "/predictions"]
        self.api_key = guard.define_key(self.api, served.throttle)

    def _define_api(
        self, served: Served, reached: apigateway.EndpointConfiguration, policy: iam.PolicyDocument | None
    ) -> apigateway.RestApi:
        self.access_log = self._log("AccessLog", served.key)
        api = apigateway.RestApi(
            self,
            "Api",
            description=f"{self.plan.domain_name} in {region_of(self)}",
            endpoint_configuration=reached,
            policy=policy,
            disable_execute_api_endpoint=True,
            binary_media_types=[*served.binary_types],
            cloud_watch_role=False,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                access_log_destination=apigateway.LogGroupLogDestination(self.access_log),
                access_log_format=apigateway.AccessLogFormat.custom(access_log.LINE),
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,  # it would log what customers send
                metrics_enabled=True,
                tracing_enabled=True,
                throttling_rate_limit=served.throttle.rate,
                throttling_burst_limit=served.throttle.burst,
            ),
        )
        # API Gateway would make it by itself: in clear, for ever, and left when the stack goes. The name is its choice:
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
        name = f"API-Gateway-Execution-Logs_{api.rest_api_id}/{STAGE}"
        self.execution_log = self._log("ExecutionLog", served.key, name)
        api.deployment_stage.node.add_dependency(self.execution_log)
        return api

    def _log(self, id: str, key: kms.IKey, name: str | None = None) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            id,
            log_group_name=name,
            retention=LOG_RETENTION,
            removal_policy=RemovalPolicy.DESTROY,
            encryption_key=key,
        )

    def _define_methods(self, endpoint: Endpoint, verdicts: Verdicts, guarded: Mapping[str, Any]) -> None:
        asker = self._role("Invoker", f"Asks the endpoint {endpoint.endpoint_name} for {self.plan.domain_name}")
        asker.give(endpoint.invoking())
        self.api.root.add_resource("invocations").add_method(
            "POST",
            methods.invocations(asker, endpoint.endpoint_name),
            **guarded,
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

    def _define_predictions(self, features: FeatureFunction, guarded: Mapping[str, Any]) -> None:
        answered = apigateway.LambdaIntegration(features.function, allow_test_invoke=False)
        self.api.root.add_resource("predictions").add_method("POST", answered, **guarded)
        self._paths.append(methods.invoke_arn(self.api, "/predictions"))

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

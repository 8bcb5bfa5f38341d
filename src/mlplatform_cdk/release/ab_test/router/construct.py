"""The function that gives each request its variant, and, if asked for, the HTTP API in front of it."""

from aws_cdk import Duration, Names, RemovalPolicy
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from mlplatform_cdk.core import PlatformFunction, arn_of, grant, permission
from mlplatform_cdk.core.functions import LOG_RETENTION
from mlplatform_cdk.release.ab_test.construct import ABTest

RUNTIME = "mlplatform_cdk.release.ab_test.router.runtime"
INVOCATIONS, OUTCOMES = "/invocations", "/outcomes"
_TIMEOUT = Duration.seconds(29)  # one less than an HTTP API waits
_LONGEST_NAME = 100
# What is known of a call, and nothing of what it says.
_LOGGED = (
    '{"request_id":"$context.requestId","status":"$context.status","route":"$context.routeKey",'
    '"latency_ms":"$context.responseLatency","caller":"$context.identity.userArn"}'
)


class ABRouter(Construct):
    """A way to a test's variants for callers that use no client of ours: a plain call of a function, or HTTP.

    It assigns by the caller's key with the algorithm of the client, asks the variant, records the request, and takes
    outcomes. A caller in Python does without it, and without its cost: ``mlplatform_cdk.runtimekit.ab_test``.

    By HTTP, every call is signed (IAM): ``POST <url>/invocations`` with the key in the header ``x-ab-key``, and
    ``POST <url>/outcomes``.

    :param test: whose variants it asks.
    :param http_api: is there an HTTP API in front of it; default: it is called by ``lambda:InvokeFunction`` alone.
    :param requests_per_second: what the HTTP API lets through; default: 100.
    """

    def __init__(
        self, scope: Construct, id: str, *, test: ABTest, http_api: bool = False, requests_per_second: int = 100
    ) -> None:
        super().__init__(scope, id)
        self.test = test
        self.function = PlatformFunction(
            self,
            "Function",
            package=RUNTIME,
            description=f"Gives each request of the A/B test {test.test_name} its variant",
            timeout=_TIMEOUT,
            memory_mib=512,
            environment={
                "ENDPOINT_NAME": test.endpoint.endpoint_name,
                "TEST_NAME": test.test_name,
                "OUTCOMES_TABLE": test.table.table_name,
            },
            key=test.key,
        )
        test.grant_take_part(self.function)
        self._api = self._define_api(requests_per_second) if http_api else None

    @property
    def url(self) -> str | None:
        """Where the HTTP API is, without a slash at the end; None: there is none."""
        return None if self._api is None else self._api.attr_api_endpoint

    def grant_call(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` send requests and outcomes, by the function and, if there is one, by the HTTP API."""
        grant(grantee, permission(["lambda:InvokeFunction"], self.function.function_arn))
        if self._api is not None:
            calls = [self._call_arn(self._api, path) for path in (INVOCATIONS, OUTCOMES)]
            grant(grantee, permission(["execute-api:Invoke"], *calls))

    def _define_api(self, requests_per_second: int) -> gateway.CfnApi:
        api = gateway.CfnApi(
            self,
            "Api",
            name=Names.unique_resource_name(self, max_length=_LONGEST_NAME, separator="-"),
            protocol_type="HTTP",
            description=f"Requests and outcomes of the A/B test {self.test.test_name}",
        )
        integration = gateway.CfnIntegration(
            self,
            "Integration",
            api_id=api.ref,
            integration_type="AWS_PROXY",
            integration_uri=self.function.function_arn,
            payload_format_version="2.0",
            timeout_in_millis=30_000,
        )
        for name, path in (("Invocations", INVOCATIONS), ("OutcomesRoute", OUTCOMES)):
            gateway.CfnRoute(
                self,
                name,
                api_id=api.ref,
                route_key=f"POST {path}",
                authorization_type="AWS_IAM",
                target=f"integrations/{integration.ref}",
            )
            self.function.add_permission(
                f"{name}Permission",
                principal=iam.ServicePrincipal("apigateway.amazonaws.com"),
                source_arn=self._call_arn(api, path),
            )
        self._define_stage(api, requests_per_second)
        return api

    def _define_stage(self, api: gateway.CfnApi, requests_per_second: int) -> None:
        # Under the prefix that log delivery needs no entry in a policy of limited size for.
        name = Names.unique_resource_name(self, max_length=_LONGEST_NAME, separator="-")
        log_group = logs.LogGroup(
            self,
            "ApiLogs",
            log_group_name=f"/aws/vendedlogs/http-api/{name}",
            encryption_key=self.test.key,
            retention=LOG_RETENTION,
            removal_policy=RemovalPolicy.DESTROY,
        )
        gateway.CfnStage(
            self,
            "Stage",
            api_id=api.ref,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=gateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=log_group.log_group_arn, format=_LOGGED
            ),
            default_route_settings=gateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=requests_per_second, throttling_burst_limit=2 * requests_per_second
            ),
        )

    def _call_arn(self, api: gateway.CfnApi, path: str) -> str:
        return arn_of(self, "execute-api", f"{api.ref}/$default/POST{path}")

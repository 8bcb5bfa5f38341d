"""An ``Authorization`` as the resources of one API: a key with its plan, an authorizer, or neither."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration, SecretValue
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import PlatformFunction, acknowledge
from mlplatform_cdk.routing.regional_api.authorization import Authorization
from mlplatform_cdk.routing.regional_api.throttle import Throttle

RUNTIME = "mlplatform_cdk.routing.regional_api.authorizer.runtime"
_SLOWEST = Duration.seconds(10)


class Guard(Construct):
    """What stands before ``POST /invocations``."""

    def __init__(
        self, scope: Construct, id: str, *, authorization: Authorization, endpoint_name: str, key: kms.IKey
    ) -> None:
        super().__init__(scope, id)
        self._given = authorization
        self._endpoint_name = endpoint_name
        self._key = key

    def method_options(self, api: apigateway.RestApi) -> Mapping[str, Any]:
        """How the method asks who calls."""
        match self._given.kind:
            case "iam":
                return {"authorization_type": apigateway.AuthorizationType.IAM}
            case "api_key":
                reason = "callers are known by their keys, which a usage plan meters; asked for as api_key()"
                acknowledge(api, {"AwsSolutions-APIG4": reason})
                return {"authorization_type": apigateway.AuthorizationType.NONE, "api_key_required": True}
            case "jwt":
                authorizer = self._token_authorizer()
                return {"authorization_type": apigateway.AuthorizationType.CUSTOM, "authorizer": authorizer}
        pools = apigateway.CognitoUserPoolsAuthorizer(self, "Pools", cognito_user_pools=[*self._given.user_pools])
        taken = {"authorization_scopes": [*self._given.scopes]} if self._given.scopes else {}
        return {"authorization_type": apigateway.AuthorizationType.COGNITO, "authorizer": pools, **taken}

    def define_key(self, api: apigateway.RestApi, throttle: Throttle) -> apigateway.IApiKey | None:
        """The key of the callers, and the plan by which it is metered; None where no key is asked for."""
        if self._given.kind != "api_key":
            return None
        name = self._given.secret_name
        key = apigateway.ApiKey(
            self,
            "Key",
            description=f"Callers of {self._endpoint_name}",
            value=name and SecretValue.secrets_manager(name).unsafe_unwrap(),  # a reference, which CloudFormation fills
        )
        plan = apigateway.UsagePlan(
            self,
            "Plan",
            description=f"Callers of {self._endpoint_name}",
            api_stages=[apigateway.UsagePlanPerApiStage(api=api, stage=api.deployment_stage)],
            throttle=apigateway.ThrottleSettings(rate_limit=throttle.rate, burst_limit=throttle.burst),
        )
        plan.add_api_key(key)
        return key

    def _token_authorizer(self) -> apigateway.TokenAuthorizer:
        given = self._given
        function = PlatformFunction(
            self,
            "Tokens",
            package=RUNTIME,
            description=f"Checks the tokens of callers of {self._endpoint_name}",
            timeout=_SLOWEST,
            environment={
                "ISSUER": given.issuer,
                "AUDIENCE": "\n".join(given.audience),
                **({"KEYS_URL": given.keys_url} if given.keys_url else {}),
            },
            key=self._key,
        )
        return apigateway.TokenAuthorizer(
            self,
            "Authorizer",
            handler=function,
            # Anything but three parts is refused before the function is asked.
            validation_regex=r"^[Bb]earer [A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
            results_cache_ttl=Duration.seconds(int(given.kept.total_seconds())),
        )

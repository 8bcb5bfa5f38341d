"""The two methods of the API, both of them without a Lambda: SageMaker's runtime, and a look into the verdicts."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam

from mlplatform_cdk.core import partition_of, region_of

# What a caller may say to InvokeEndpoint, and what it answers, by botocore's model of sagemaker-runtime. The variant is
# not the caller's to choose: a release decides that.
_ASKED = (
    "Accept",
    "Content-Type",
    "X-Amzn-SageMaker-Custom-Attributes",
    "X-Amzn-SageMaker-Inference-Id",
    "X-Amzn-SageMaker-Session-Id",
    "X-Amzn-SageMaker-Target-Model",
)
_ANSWERED = {
    "Content-Type": "Content-Type",
    "X-Amzn-Invoked-Production-Variant": "x-Amzn-Invoked-Production-Variant",
    "X-Amzn-SageMaker-Custom-Attributes": "X-Amzn-SageMaker-Custom-Attributes",
    "X-Amzn-SageMaker-New-Session-Id": "X-Amzn-SageMaker-New-Session-Id",
    # Under a name of its own: API Gateway's answers have an x-amzn-RequestId already, which is that of the API.
    "X-Amzn-SageMaker-Request-Id": "x-amzn-RequestId",
}

# The statuses of InvokeEndpoint's errors, by the same model, and 403, when the API's own role was changed.
_ERRORS = (400, 403, 424, 429, 500, 503, 530)
# Any other status is no answer of SageMaker's that we know; the default would pass it on as a success.
_UNKNOWN = 502

STALE = '{"status":"stale"}'


def invocations(api_role: iam.IRole, endpoint_name: str) -> apigateway.Integration:
    """``InvokeEndpoint`` of one endpoint, by the path of SageMaker's runtime; bodies pass as they are.

    The body may have 10 MB, which API Gateway takes (SageMaker would take 25 MB), and the answer must come within 29 s,
    where SageMaker would wait for 60 s:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
    https://docs.aws.amazon.com/sagemaker/latest/dg/hosting-faqs.html
    """
    answers = {f"method.response.header.{ours}": f"integration.response.header.{s}" for ours, s in _ANSWERED.items()}
    responses = [
        apigateway.IntegrationResponse(status_code="200", selection_pattern="200", response_parameters=answers),
        *(
            apigateway.IntegrationResponse(
                status_code=str(one), selection_pattern=str(one), response_parameters=answers
            )
            for one in _ERRORS
        ),
        apigateway.IntegrationResponse(status_code=str(_UNKNOWN)),
    ]
    return apigateway.AwsIntegration(
        service="runtime.sagemaker",
        path=f"endpoints/{endpoint_name}/invocations",
        integration_http_method="POST",
        options=apigateway.IntegrationOptions(
            credentials_role=api_role,
            passthrough_behavior=apigateway.PassthroughBehavior.WHEN_NO_MATCH,
            request_parameters={f"integration.request.header.{one}": f"method.request.header.{one}" for one in _ASKED},
            integration_responses=responses,
        ),
    )


def invocation_options() -> Mapping[str, Any]:
    """The method's side of the same headers and statuses."""
    returned = {f"method.response.header.{name}": True for name in _ANSWERED}
    return {
        "request_parameters": {f"method.request.header.{name}": False for name in _ASKED},
        "method_responses": [
            *(apigateway.MethodResponse(status_code=str(one), response_parameters=returned) for one in (200, *_ERRORS)),
            apigateway.MethodResponse(status_code=str(_UNKNOWN)),
        ],
    }


def health(api_role: iam.IRole, table_name: str, endpoint_name: str) -> apigateway.Integration:
    """The probe's last verdict, for as long as it counts: a stale one is filtered out by the table itself.

    ``$context.requestTimeEpoch`` is in milliseconds, as ``valid_until`` is.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
    """
    query = {
        "TableName": table_name,
        "KeyConditionExpression": "endpoint = :endpoint",
        "FilterExpression": "valid_until > :now",
        "ExpressionAttributeValues": {":endpoint": {"S": endpoint_name}, ":now": {"N": "$context.requestTimeEpoch"}},
    }
    return apigateway.AwsIntegration(
        service="dynamodb",
        action="Query",
        integration_http_method="POST",
        options=apigateway.IntegrationOptions(
            credentials_role=api_role,
            passthrough_behavior=apigateway.PassthroughBehavior.NEVER,
            request_templates={"application/json": json.dumps(query)},
            integration_responses=[
                _verdict("200", "200", _SAID),
                _verdict("503", None, STALE),
            ],
        ),
    )


# The row's `body` is the whole answer, so that no template of ours has to write JSON; its status decides on the code.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html
_SAID = (
    "#if($input.path('$.Count') == 1)"
    "#if($input.path('$.Items[0].status.S') != 'in-service')#set($context.responseOverride.status = 503)#end"
    "$input.path('$.Items[0].body.S')"
    "#else"
    f"#set($context.responseOverride.status = 503){STALE}"
    "#end"
)


def _verdict(status: str, pattern: str | None, template: str) -> apigateway.IntegrationResponse:
    return apigateway.IntegrationResponse(
        status_code=status,
        selection_pattern=pattern,
        response_parameters={
            "method.response.header.Cache-Control": "'no-store'",
            "method.response.header.Content-Type": "'application/json'",
        },
        response_templates={"application/json": template},
    )


def health_responses() -> Sequence[apigateway.MethodResponse]:
    """In service, and everything else."""
    headers = {"method.response.header.Cache-Control": True, "method.response.header.Content-Type": True}
    return [apigateway.MethodResponse(status_code=one, response_parameters=headers) for one in ("200", "503")]


def invoke_arn(api: apigateway.RestApi, path: str = "/invocations") -> str:
    """What a caller must be allowed: predictions, and nothing else of the API."""
    return api.arn_for_execute_api("POST", path, api.deployment_stage.stage_name)


def stage_arn(api: apigateway.RestApi) -> str:
    """The stage as other services name it: API Gateway's own ARNs have no account."""
    place = f"arn:{partition_of(api)}:apigateway:{region_of(api)}::"
    return f"{place}/restapis/{api.rest_api_id}/stages/{api.deployment_stage.stage_name}"

"""The endpoint of this region, asked once: whoever calls may ask again."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from mlplatform_cdk.routing.feature_function.runtime.reply import JSON, OK, Reply, problem
from mlplatform_cdk.runtimekit import aws, endpoint_errors

# The function has 28, and API Gateway waits for 29; of these the first for which there is time.
_PATIENCES_S, _CONNECT_S = (25, 20, 15, 10, 5, 2), 1
_PASSED_ON = {
    "x-amzn-sagemaker-custom-attributes": "CustomAttributes",
    "x-amzn-sagemaker-inference-id": "InferenceId",
}
_WRONG, _LARGE, _FAILED, _BUSY, _AWAY = 400, 413, 424, 429, 503


def ask(inputs: Any, headers: Mapping[str, str], seconds_left: Callable[[], float]) -> Reply:
    """``InvokeEndpoint`` with what the user's code computed.

    :param inputs: by name, sent as ``{"inputs": …}``.
    :param headers: of the request, by small names; those of SageMaker's that are the caller's go on.
    :param seconds_left: until the request must be answered.
    """
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError  # an asset must boot without boto3

    given = {ours: headers[name] for name, ours in _PASSED_ON.items() if name in headers}
    time_s = seconds_left() - _CONNECT_S
    patience_s = next((one for one in _PATIENCES_S if one <= time_s), None)
    if patience_s is None:
        return problem(_AWAY, "the features took too long for the endpoint to be asked", {"Retry-After": "1"})
    runtime = aws.client("sagemaker-runtime", patience_s=patience_s, connect_s=_CONNECT_S, attempts=1)
    try:
        answer = runtime.invoke_endpoint(
            EndpointName=os.environ["ENDPOINT_NAME"],
            Body=json.dumps({"inputs": inputs}).encode(),
            ContentType=JSON,
            Accept=headers.get("accept", JSON),
            **given,
        )
    except ClientError as error:
        return _refusal(error)
    except ParamValidationError as error:
        return problem(_WRONG, str(error))
    except BotoCoreError:
        return problem(_AWAY, "the endpoint did not answer in time", {"Retry-After": "1"})
    said = {"X-Amzn-Invoked-Production-Variant": answer.get("InvokedProductionVariant", "")}
    return Reply(OK, answer["Body"].read(), answer.get("ContentType", JSON), said)


def _refusal(error: Any) -> Reply:
    """As the API says it where no function stands between: 424 where the model failed.

    Without ``Retry-After`` where the request is wrong: a client leaves the whole region alone for that time.
    """
    code, message = error.response["Error"]["Code"], str(error.response["Error"].get("Message", ""))
    if code == "ModelError":
        original = error.response.get("OriginalStatusCode")
        return Reply(_FAILED, json.dumps({"error": "the model failed", "OriginalStatusCode": original}).encode())
    if aws.is_throttling(error):
        return problem(_BUSY, "the endpoint is too busy", {"Retry-After": "1"})
    if code == str(_LARGE):  # botocore's word for a status whose body says nothing
        return problem(_LARGE, f"the inputs are too large for the endpoint: {message}")
    if code == "ValidationError" and not endpoint_errors.is_gone(message):
        return problem(_WRONG, f"the endpoint refused the request: {message}")
    return problem(_AWAY, f"the endpoint did not answer: {code}", {"Retry-After": "1"})

"""What calls of API Gateway's control plane need: its actions are HTTP's verbs, and its resources are paths.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html
"""

from __future__ import annotations

from urllib.parse import quote

from moto.core.utils import get_service_model
from moto.utilities.utils import get_partition

from mlplatform_cdk.local.adapters.iam.calls import Call
from mlplatform_cdk.local.adapters.iam.statements import Need


def of(call: Call) -> list[Need]:
    """The verb on the path that the call's parameters fill in."""
    operation = get_service_model(call.service).operation_model(call.operation)
    path = str(operation.http["requestUri"]).split("?")[0]
    for name, member in operation.input_shape.members.items():
        if member.serialization.get("location") == "uri":
            value = quote(str(call.parameters.get(name, "")), safe="")
            path = path.replace(f"{{{member.serialization.get('name', name)}}}", value)
    arn = f"arn:{get_partition(call.region)}:apigateway:{call.region}::{path}"
    return [Need(action=f"apigateway:{operation.http['method']}", resources=(arn,))]

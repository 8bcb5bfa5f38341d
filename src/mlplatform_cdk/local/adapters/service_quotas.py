"""SageMaker's quotas for endpoints, which moto does not list: of every instance type as many as a large account has.

A rehearsal shows that a release asks for its quotas and may; what an account was granted, only AWS knows.
"""

from __future__ import annotations

import json
from functools import cache

import botocore.session
from moto.servicequotas.responses import ServiceQuotasResponse

MOST = 100.0
_LISTS = ("list_service_quotas", "list_aws_default_service_quotas")
_default = ServiceQuotasResponse.list_aws_default_service_quotas


def install() -> None:
    """Answer for SageMaker; every other service is moto's."""
    for name in _LISTS:
        setattr(ServiceQuotasResponse, name, _list)


def _list(response: ServiceQuotasResponse) -> str:
    if json.loads(response.body).get("ServiceCode") != "sagemaker":
        return _default(response)
    return json.dumps({"Quotas": [_quota(kind) for kind in _instance_types()]})


def _quota(kind: str) -> dict[str, object]:
    return {
        "ServiceCode": "sagemaker",
        "QuotaName": f"{kind} for endpoint usage",
        "Value": MOST,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }


@cache
def _instance_types() -> list[str]:
    model = botocore.session.get_session().get_service_model("sagemaker")
    return list(model.shape_for("ProductionVariantInstanceType").enum)

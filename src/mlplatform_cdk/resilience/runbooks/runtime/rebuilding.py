"""What a rebuild releases, and the removal of an endpoint that serves nothing and takes no update any more.

A release makes an endpoint anew that is gone or failed, and refuses one that is out of service: somebody must delete it
first. That is done here, and only while no execution holds the endpoint's lock: none can begin on such an endpoint.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

# It serves nothing and takes no update: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
# One that is UpdateRollbackFailed serves, with a mix of two configurations: nothing here deletes it.
_DEAD = ("OutOfService",)
_STAGE, _IN_SERVICE = "Production", "InService"
_PATIENCE_S, _LOOK_EVERY_S = 540.0, 5.0
# As release/blue_green/runtime/lock.py: so long DescribeExecution may not know an execution that has begun.
_NEWBORN = timedelta(minutes=5)


def look(events: Mapping[str, str], _context: object) -> dict[str, str]:
    """The version to release, how the endpoint is, and whether it must go first.

    :param events: ``EndpointName``, ``Group`` and ``Version``, where ``production`` is the one that is marked so.
    :raises RuntimeError: when no version is in production, or the one that is asked for is not approved in the group:
        nothing is deleted for what would then be refused.
    """
    status = _status(events["EndpointName"])
    version = _in_production(events["Group"]) if events["Version"] == "production" else events["Version"]
    _require_approved(events["Group"], version)
    return {"Version": version, "Status": status or "none", "MustGo": "yes" if status in _DEAD else "no"}


def clear(events: Mapping[str, str], _context: object) -> dict[str, str]:
    """Delete the endpoint, and wait until it is gone.

    :param events: ``EndpointName`` and ``Table``, where its lock lies.
    :raises RuntimeError: when an execution holds the lock, the endpoint serves again, or SageMaker takes too long.
    """
    name = events["EndpointName"]
    if holder := _holder(events["Table"], name):
        raise RuntimeError(f"no execution may hold the lock of {name}, and {holder} does; stop it, or wait for its end")
    status = _status(name)
    if status in _DEAD:
        client("sagemaker").delete_endpoint(EndpointName=name)
    end = time.monotonic() + _PATIENCE_S
    while (now := _status(name)) in (*_DEAD, "Deleting"):
        if time.monotonic() > end:
            raise RuntimeError(f"{name} must go within {_PATIENCE_S:g} s, and is {now}; run the runbook again")
        time.sleep(_LOOK_EVERY_S)
    if now:
        raise RuntimeError(f"{name} must be gone, and is {now}: somebody else works on it")
    return {"Cleared": status or "nothing"}


def _status(name: str) -> str:
    sagemaker = client("sagemaker")
    try:
        return str(sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"])
    except sagemaker.exceptions.ClientError as error:
        if "Could not find" in str(error):
            return ""
        raise


def _in_production(group: str) -> str:
    """The newest version that the registry marks; evaluation takes the same."""
    pages = client("sagemaker").get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    marked = [one for page in pages for one in page["ModelPackageSummaryList"] if _is_marked(one)]
    if not marked:
        raise RuntimeError(
            f"a version of {group} must be marked as in production; name the one to release: Version=<arn>"
        )
    newest: dict[str, Any] = max(marked, key=lambda one: int(one["ModelPackageVersion"]))
    return str(newest["ModelPackageArn"])


def _require_approved(group: str, version: str) -> None:
    pages = client("sagemaker").get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    found = {
        one["ModelPackageArn"]: one["ModelApprovalStatus"] for page in pages for one in page["ModelPackageSummaryList"]
    }
    if found.get(version) != "Approved":
        raise RuntimeError(
            f"{version} must be an approved version of {group}, and is {found.get(version, 'none of it')}"
        )


def _is_marked(package: Mapping[str, Any]) -> bool:
    life = package.get("ModelLifeCycle", {})
    return (life.get("Stage"), life.get("StageStatus")) == (_STAGE, _IN_SERVICE)


def _holder(table: str, name: str) -> str:
    """The execution that holds the endpoint's lock and runs; empty: none does."""
    key = {"endpoint": {"S": f"lock#{name}"}, "at": {"S": "lock"}}
    item = client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
    row, now = {name: str(value.get("S", "")) for name, value in item.items()}, datetime.now(UTC)
    if not row:
        return ""
    owner = row["owner"]
    if "until" in row:  # a drill's, which ends by itself
        return owner if now < datetime.fromisoformat(row["until"]) else ""
    states = client("stepfunctions")
    try:
        return owner if states.describe_execution(executionArn=owner)["status"] == "RUNNING" else ""
    except states.exceptions.ExecutionDoesNotExist:
        return owner if now - datetime.fromisoformat(row["since"]) < _NEWBORN else ""


def client(service: str) -> Any:
    """boto3's client of ``service``."""
    import boto3

    return boto3.client(service)

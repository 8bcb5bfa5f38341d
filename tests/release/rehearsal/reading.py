"""What can be seen of an endpoint's releases: their executions, their records, their lock, and the registry's marks."""

import json
from dataclasses import dataclass
from typing import Any

from tests.release.rehearsal.conftest import ENDPOINT, GROUP, Rehearsal


@dataclass
class Reading:
    """Looks, and changes nothing.

    :param rehearsal: the deployed platform.
    """

    rehearsal: Rehearsal

    def story(self) -> str:
        """What the newest executions did, for a test that fails."""
        told = [f"lock: {[(one['owner']['S'][-8:], one['action']['S'], 'plan' in one) for one in self.lock()]}"]
        describe = self.rehearsal.aws.client("stepfunctions").describe_execution
        for one in self.rehearsal.executions()[:6]:
            found = describe(executionArn=one["executionArn"])
            visited = " ".join(self.rehearsal.visited(one["executionArn"])[-40:])
            end = f"{found.get('error', '')} {found.get('cause', '')}"
            told.append(f"{one['executionArn'][-8:]} {found['input'][:90]} {one['status']} {end}: {visited}")
        return "\n".join(told)

    def lock(self) -> list[dict[str, Any]]:
        """The rows of the lock, as DynamoDB has them."""
        return self._rows(f"lock#{ENDPOINT}")

    def records(self) -> list[dict[str, Any]]:
        """What was written down of releases to the endpoint."""
        rows = self._rows(ENDPOINT)
        return [{name: next(iter(value.values())) for name, value in one.items()} for one in rows]

    def _rows(self, partition: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.rehearsal.aws.client("dynamodb").query(
            TableName=self.rehearsal.outputs["RecordsTable"],
            ConsistentRead=True,
            KeyConditionExpression="endpoint = :endpoint",
            ExpressionAttributeValues={":endpoint": {"S": partition}},
        )["Items"]
        return found

    def version_of(self, execution: str) -> str:
        """The version that an execution was started for."""
        return str(self._input(execution)["model_package_arn"])

    def release_of(self, version: str) -> str:
        """The execution that releases a version."""
        (found,) = [one for one in self.releases() if self.version_of(one) == version]
        return found

    def releases(self) -> list[str]:
        """The executions that release a version, the newest first."""
        found = [str(one["executionArn"]) for one in self.rehearsal.executions()]
        return [one for one in found if "model_package_arn" in self._input(one)]

    def exists(self) -> bool:
        """Is there an endpoint."""
        return bool(self.rehearsal.aws.client("sagemaker").list_endpoints()["Endpoints"])

    def in_production(self) -> list[str]:
        """The versions that the registry calls so."""
        pages = self.rehearsal.aws.client("sagemaker").get_paginator("list_model_packages")
        found = [
            one["ModelPackageArn"]
            for page in pages.paginate(ModelPackageGroupName=GROUP)
            for one in page["ModelPackageSummaryList"]
        ]
        stages = {arn: self.rehearsal.package(arn).get("ModelLifeCycle", {}).get("StageStatus") for arn in found}
        return [arn for arn, stage in stages.items() if stage == "InService"]

    def _input(self, execution: str) -> dict[str, Any]:
        asked = self.rehearsal.aws.client("stepfunctions").describe_execution(executionArn=execution)["input"]
        found: dict[str, Any] = json.loads(asked)
        return found

"""What people do with versions: register one, approve it, look what became of it."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from mlplatform_cdk.local.rehearsal import model
from mlplatform_cdk.local.rehearsal.target import started_by_approvals
from mlplatform_cdk.runtimekit.model_package import PackageFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlplatform_cdk.local.administrator import Administrator
    from mlplatform_cdk.local.rehearsal.faults import Fault
    from mlplatform_cdk.local.rehearsal.target import Target

Found = TypeVar("Found")
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 60.0
LONGEST_SECONDS = 300.0  # of a release, but for its looks at green
RETIRE, RECOVER = "retire", "recover"  # actions of executions: one waits for its time, one brings back
ENDED = ("SUCCEEDED", "FAILED")


class NothingHappened(Exception):
    """What had to happen did not, within a minute."""


@dataclass(slots=True)
class People:
    """Whoever works with the versions of one endpoint.

    :param aws: the embedded AWS.
    :param target: the endpoint and its releases.
    """

    aws: Administrator
    target: Target
    _made: int = field(default=0)
    _good: set[str] = field(default_factory=set)

    def register(self, fault: Fault) -> str:
        """A version with this fault, which waits for approval: its ARN."""
        self._made += 1
        run = f"rehearsal-{self._made}-{fault.name}"
        made = model.make(run, hooks=fault.hooks)
        prefix, content = f"runs/{run}", made.manifest.to_json().encode()
        s3, bucket = self.aws.client("s3"), self.target.bucket
        s3.put_object(Bucket=bucket, Key=f"{prefix}/model.tar.gz", Body=made.archive)
        s3.put_object(Bucket=bucket, Key=f"{prefix}/manifest.json", Body=content)
        facts = PackageFacts(
            run_id=run,
            dataset_version="rehearsal",
            dataset_uri="s3://rehearsal/none/",
            code_version="rehearsal",
            manifest_uri=f"s3://{bucket}/{prefix}/manifest.json",
            manifest_sha256=hashlib.sha256(content).hexdigest(),
            evaluation_uri=f"s3://{bucket}/{prefix}/evaluation.json",
            model_data_sha256=hashlib.sha256(made.archive).hexdigest(),
        )
        containers = [{"Image": self.target.image, "ModelDataUrl": f"s3://{bucket}/{prefix}/model.tar.gz"}]
        arn: str = self.aws.client("sagemaker").create_model_package(
            ModelPackageGroupName=self.target.group,
            ModelPackageDescription=f"Rehearsal: {fault.sentence}",
            ModelApprovalStatus="PendingManualApproval",
            CustomerMetadataProperties=facts.to_metadata(),
            InferenceSpecification={
                "Containers": containers,
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )["ModelPackageArn"]
        if fault.hooks is None:
            self._good.add(arn)
        return arn

    def is_good(self, arn: str) -> bool:
        """Whether nothing is wrong with a version that was registered here."""
        return arn in self._good

    def approve(self, arn: str) -> str:
        """Approve a version, and wait until its release runs: the execution's ARN.

        Where a train would start it, or nothing does, it is started by hand: the release of one endpoint is rehearsed.
        """
        known = {one["executionArn"] for one in self.executions()}
        self.aws.client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
        if not self.target.by_approval:
            request = {"model_package_arn": arn, "by": "hand", "who": "the rehearsal"}
            self.aws.client("stepfunctions").start_execution(
                stateMachineArn=self.target.machine, input=json.dumps(request)
            )

        def started() -> str | None:
            # The oldest: a second event of the same approval starts one that finds nothing to do.
            new = [one["executionArn"] for one in reversed(self.executions()) if one["executionArn"] not in known]
            return next((one for one in new if arn in self.input_of(one).get("model_package_arn", "")), None)

        return until(started, f"a release of {arn}")

    def keep_trains_at_home(self) -> None:
        """Let approvals start nothing but the releases that are rehearsed: a train would go on to other endpoints."""
        for rule, started in [*started_by_approvals(self.aws)]:
            if ":stateMachine:" in started and started != self.target.machine:
                self.aws.client("events").disable_rule(Name=rule)

    def executions(self) -> list[dict[str, Any]]:
        """All executions of the machine, the newest first."""
        pages = self.aws.client("stepfunctions").get_paginator("list_executions")
        machine = self.target.machine
        return [one for page in pages.paginate(stateMachineArn=machine) for one in page["executions"]]

    def input_of(self, execution: str) -> dict[str, Any]:
        """What an execution was started with."""
        found: dict[str, Any] = json.loads(self.execution(execution)["input"])
        return found

    def execution(self, arn: str) -> dict[str, Any]:
        """An execution as it is now."""
        found: dict[str, Any] = self.aws.client("stepfunctions").describe_execution(executionArn=arn)
        return found

    def history(self, arn: str) -> list[dict[str, Any]]:
        """The events of an execution, oldest first."""
        pages = self.aws.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
        return [event for page in pages for event in page["events"]]

    def package(self, arn: str) -> dict[str, Any]:
        """A version as it is now."""
        found: dict[str, Any] = self.aws.client("sagemaker").describe_model_package(ModelPackageName=arn)
        return found

    def stop(self, execution: str, error: str, cause: str) -> None:
        """Stop an execution by hand, past everything that the platform offers for it."""
        self.aws.client("stepfunctions").stop_execution(executionArn=execution, error=error, cause=cause)

    def running(self) -> list[str]:
        """The executions that run, but for those that wait to retire blue."""
        arns = [one["executionArn"] for one in self.executions() if one["status"] == "RUNNING"]
        return [one for one in arns if self.input_of(one).get("action") != RETIRE]

    def recovered(self, execution: str) -> bool:
        """Whether another execution has brought back what a stopped one left."""
        ended = [one["executionArn"] for one in self.executions() if one["status"] in ENDED]
        inputs = [self.input_of(one) for one in ended]
        return any(one.get("action") == RECOVER and one.get("execution_arn") == execution for one in inputs)

    def held_still(self) -> list[str]:
        """The variants whose scaling is suspended."""
        scaling = self.aws.client("application-autoscaling")
        prefix = f"endpoint/{self.target.endpoint}/variant/"
        pages = scaling.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="sagemaker")
        targets = [one for page in pages for one in page["ScalableTargets"] if one["ResourceId"].startswith(prefix)]
        return [one["ResourceId"].removeprefix(prefix) for one in targets if any(one["SuspendedState"].values())]

    def clear(self) -> None:
        """Stop what still runs, and wait for what that starts: nothing of one scenario reaches into the next."""
        stopped = self.running()
        for execution in stopped:
            self.stop(execution, "RehearsalOver", "rehearsal: the scenario was given up")

        def is_over() -> bool:
            return all(map(self.recovered, stopped)) and not self.running()

        until(is_over, "the end of a scenario that was given up", seconds=LONGEST_SECONDS)

    def alarms(self, variant: str) -> list[str]:
        """The alarms on one variant of the endpoint."""
        wanted = {("EndpointName", self.target.endpoint), ("VariantName", variant)}
        pages = self.aws.client("cloudwatch").get_paginator("describe_alarms").paginate()
        return sorted(
            alarm["AlarmName"]
            for page in pages
            for alarm in page["MetricAlarms"]
            if wanted <= {(one["Name"], one["Value"]) for one in _dimensions(alarm)}
            and alarm.get("ActionsEnabled", True)
        )

    def raise_alarm(self, variant: str) -> str:
        """Let an alarm on ``variant`` go off: its name."""
        name = self.alarms(variant)[0]
        self.aws.client("cloudwatch").set_alarm_state(
            AlarmName=name, StateValue="ALARM", StateReason="rehearsal: it goes off while green is watched"
        )
        return name

    def open_gate(self, execution: str) -> str | None:
        """The id of the gate at which a release waits now."""
        if self.target.table is None:
            return None
        key = {"endpoint": {"S": f"gate#{self.target.endpoint}"}, "at": {"S": "gate"}}
        item = self.aws.client("dynamodb").get_item(TableName=self.target.table, Key=key).get("Item")
        if item is None or item["release"]["S"] != execution or item["decision"].get("S"):
            return None
        return str(item["id"]["S"])

    def endpoint(self) -> dict[str, Any] | None:
        """The endpoint as it is now; None: there is none."""
        sagemaker = self.aws.client("sagemaker")
        try:
            found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=self.target.endpoint)
        except sagemaker.exceptions.ClientError as error:
            if "Could not find" in str(error):
                return None
            raise
        return found

    def weights(self) -> dict[str, float]:
        """The share of the traffic that each variant gets now, from 0 to 1."""
        variants = (self.endpoint() or {}).get("ProductionVariants", [])
        total = sum(one["CurrentWeight"] for one in variants) or 1.0
        return {one["VariantName"]: one["CurrentWeight"] / total for one in variants}

    def versions(self) -> dict[str, str]:
        """The version that each variant runs."""
        sagemaker, endpoint = self.aws.client("sagemaker"), self.endpoint()
        if endpoint is None:
            return {}
        config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        models = {one["VariantName"]: one["ModelName"] for one in config["ProductionVariants"]}
        return {variant: self._version_of(name) for variant, name in models.items()}

    def _version_of(self, model_name: str) -> str:
        container = self.aws.client("sagemaker").describe_model(ModelName=model_name)["PrimaryContainer"]
        return str(container["Environment"]["MODEL_PACKAGE_ARN"])


def _dimensions(alarm: dict[str, Any]) -> list[dict[str, str]]:
    """Those of an alarm's metric, or of the metrics of its expression."""
    metrics = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
    return [one for metric in (alarm, *metrics) for one in metric.get("Dimensions", [])]


def until(seen: Callable[[], Found | None], what: str, seconds: float = PATIENCE_SECONDS) -> Found:
    """What ``seen`` answers, once that is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = seen()
        if found:
            return found
        time.sleep(POLL_SECONDS)
    raise NothingHappened(f"{what} did not happen within {seconds:.0f} s")

"""A deployed platform that tests walk through, and what its users hear from it."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mlplatform_cdk.assembly import Assembly
from mlplatform_cdk.cli.demo.executions import Executions
from mlplatform_cdk.cli.demo.platform import DeployedPlatform
from mlplatform_cdk.cli.demo.report import DemoReport, ExecutionReport
from mlplatform_cdk.local.settings import Settings

Found = TypeVar("Found")
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.05

# Where the pipeline of stacks/breast_cancer.py looks, and what it predicts.
KEY = "raw/breast-cancer/patients.csv"
LABEL_COLUMN = "diagnosis"


def eventually(look: Callable[[], Found | None], what: str, patience: float = PATIENCE_SECONDS) -> Found:
    """The first answer of ``look`` that is not None."""
    deadline = time.monotonic() + patience
    while (seen := look()) is None:
        assert time.monotonic() < deadline, f"{what} did not happen within {patience:.0f} s"
        time.sleep(POLL_SECONDS)
    return seen


class Inbox:
    """What a topic tells people, received through a queue that is subscribed to it."""

    def __init__(self, client: Callable[[str], Any], topic_arn: str) -> None:
        self._sqs = client("sqs")
        self._messages: list[dict[str, str]] = []
        name = f"inbox-{uuid.uuid4().hex[:8]}"
        queue_arn = topic_arn.replace(":sns:", ":sqs:").rpartition(":")[0] + f":{name}"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._url = self._sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]
        client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn)

    def about(self, words: str, patience: float = 10.0) -> dict[str, str]:
        """The first message whose text holds ``words``."""
        return eventually(lambda: self._find(words), f"a message about {words}", patience)

    def _find(self, words: str) -> dict[str, str] | None:
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        for message in answer.get("Messages", []):
            self._messages.append(json.loads(message["Body"]))
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return next((message for message in self._messages if words in message["Message"]), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """One environment on one embedded AWS, which has walked the demo's path once.

    :param settings: the embedded AWS.
    :param assembly: what is deployed to it.
    :param platform: the deployed environment.
    :param report: what the walk found.
    :param live: how the registry and the endpoint stood at the end of the walk.
    :param inbox: what the environment tells people.
    """

    settings: Settings
    assembly: Assembly
    platform: DeployedPlatform
    report: DemoReport
    live: Mapping[str, Any]
    inbox: Inbox
    retraining: Executions
    releases: Executions
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The administrator's client of ``service``."""
        if service not in self._clients:
            self._clients[service] = self.platform.client(service)
        return self._clients[service]

    def retrain(self, name: str, request: Mapping[str, Any]) -> ExecutionReport:
        """Start a run by hand and follow it to its end."""
        return self.follow(self.retraining.start(name, json.dumps(request)))

    def follow(self, run: str) -> ExecutionReport:
        """Follow a run to its end."""
        return self.retraining.follow(run, PATIENCE_SECONDS, _say_nothing)

    @contextmanager
    def in_the_lake(self, key: str, text: str) -> Iterator[ExecutionReport]:
        """Put an object into the lake, for the block, and give the run that its event starts."""
        known = self.retraining.arns()
        self.platform.put_data(key, text)
        try:
            yield self.follow(self.retraining.next_after(known, PATIENCE_SECONDS))
        finally:
            self.client("s3").delete_object(Bucket=self.platform.parameter("data/lake-bucket"), Key=key)

    def packages(self) -> list[str]:
        """The ARNs of all registered versions, oldest first."""
        return packages_of(self.client("sagemaker"), self.platform.parameter("registry/model-package-group"))

    def features(self) -> list[float]:
        """The features of the first row of the holdout."""
        assert self.report.run is not None
        row = self.platform.holdout(self.report.run.name)[0]
        return [float(value) for name, value in row.items() if name != LABEL_COLUMN]


def packages_of(sagemaker: Any, group: str) -> list[str]:
    """The ARNs of the versions in ``group``, oldest first."""
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    arns = [one["ModelPackageArn"] for page in pages for one in page["ModelPackageSummaryList"]]
    return sorted(arns, key=lambda arn: int(arn.rsplit("/", 1)[1]))


def _say_nothing(_state: str) -> None:
    pass

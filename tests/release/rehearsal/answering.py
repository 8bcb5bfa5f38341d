"""What people need to answer for a release: a role of their own, and the letter with the link."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from urllib.parse import parse_qsl, urlencode, urlsplit

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_stepfunctions as sfn

from mlplatform_cdk.core import PlatformRole
from mlplatform_cdk.foundation import Notifications, PlatformStack
from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.release.gates import Gates, SignedLinks
from mlplatform_cdk.release.records import ReleaseRecords


def gates(
    stack: PlatformStack, endpoint_name: str, records: ReleaseRecords, key: kms.IKey, topic: Notifications
) -> Gates:
    """Gates that people answer by the command line or by a link."""
    links = SignedLinks(stack, "Links", endpoint_name=endpoint_name, records=records, key=key)
    return Gates(
        stack, "Gates", endpoint_name=endpoint_name, records=records, key=key, notifications=topic, links=links
    )


def team(stack: PlatformStack, gates: Gates, machine: sfn.IStateMachine) -> str:
    """The ARN of a role that may answer, and nothing else."""
    role = PlatformRole(stack, "Team", assumed_by=iam.AccountRootPrincipal(), description="Answers for releases")
    gates.grant_answer(role, machine)
    return role.role_arn


class Mailbox:
    """What is told on a topic."""

    def __init__(self, aws: Administrator, topic_arn: str) -> None:
        self._sqs = aws.client("sqs")
        arn = topic_arn.replace(":sns:", ":sqs:").rpartition(":")[0] + ":mailbox"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._url = self._sqs.create_queue(QueueName="mailbox", Attributes={"Policy": policy})["QueueUrl"]
        aws.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)

    def link(self) -> str:
        """The link in a letter that has come; empty: none has."""
        for message in self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            found = re.search(r"Or open (\S+)", json.loads(message["Body"])["Message"])
            if found:
                return found[1]
        return ""


def browse(link: str, **form: str) -> tuple[int, str]:
    """What the page behind ``link`` answers: opened, or sent with its own fields and these."""
    fields = dict(parse_qsl(urlsplit(link).query)) | form
    try:
        with urllib.request.urlopen(link, urlencode(fields).encode() if form else None) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()

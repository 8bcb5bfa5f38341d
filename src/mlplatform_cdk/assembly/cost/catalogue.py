"""What AWS charges for, as far as this tool prices it, and where AWS's price list says how much."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# A usage type begins with the region's short name, except for the oldest ones of us-east-1: `EU-VpcEndpoint-Hours`.
_REGION_PREFIX = r"(?:[A-Z]{2,5}\d*-|[a-z]{2}(?:-[a-z]+)+-\d-)?"
_FAMILY = "/"  # between an item and what it is of, such as an instance type


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing with a price.

    :param name: our name; an item that has a price for each instance type ends there and is asked for as ``name/type``.
    :param unit: what the price is for one of.
    :param offer: the service's code in AWS's price list; default: none, the price list is not read for it.
    :param usage: its usage type there, without the region's prefix; ``{}`` stands for the instance type.
    :param attributes: more attributes that tell it from others; default: none are needed.
    """

    name: str
    unit: str
    offer: str = ""
    usage: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    def detail_of(self, attributes: Mapping[str, str]) -> str | None:
        """What the product of the price list is of: an instance type, or nothing; None when it is another item."""
        if not self.offer or any(attributes.get(name) != value for name, value in self.attributes.items()):
            return None
        pattern = re.escape(self.usage).replace(r"\{\}", r"(ml\.[a-z0-9.-]+)") if self.usage else ".*"
        match = re.fullmatch(_REGION_PREFIX + pattern, attributes.get("usagetype", ""))
        return None if match is None else "".join(match.groups())


def _items(offer: str, *rows: tuple[str, str, str]) -> tuple[Item, ...]:
    return tuple(Item(name=name, unit=unit, offer=offer, usage=usage) for name, unit, usage in rows)


ITEMS: dict[str, Item] = {
    item.name: item
    for item in (
        *_items(
            "AmazonVPC",
            ("vpc.interface-endpoint-hour", "hour in one zone", "VpcEndpoint-Hours"),
            ("vpc.interface-endpoint-gb", "GB", "VpcEndpoint-Bytes"),
            ("vpc.gateway-load-balancer-endpoint-hour", "hour in one zone", "VpcEndpoint-GWLBE-Hours"),
            ("vpc.gateway-load-balancer-endpoint-gb", "GB", "VpcEndpoint-GWLBE-Bytes"),
            ("vpc.public-ipv4-hour", "hour", "PublicIPv4:InUseAddress"),
        ),
        *_items(
            "AmazonEC2",
            ("ec2.nat-gateway-hour", "hour", "NatGateway-Hours"),
            ("ec2.nat-gateway-gb", "GB", "NatGateway-Bytes"),
        ),
        *_items("awskms", ("kms.key-month", "key and month", "KMS-Keys"), ("kms.request", "request", "KMS-Requests")),
        *_items(
            "AmazonCloudWatch",
            ("cloudwatch.alarm-month", "metric and month", "CW:AlarmMonitorUsage"),
            ("cloudwatch.high-resolution-alarm-month", "metric and month", "CW:HighResAlarmMonitorUsage"),
            ("cloudwatch.composite-alarm-month", "alarm and month", "CW:CompositeAlarmMonitorUsage"),
            ("cloudwatch.dashboard-month", "dashboard and month", "DashboardsUsageHour"),
            ("logs.ingested-gb", "GB", "DataProcessing-Bytes"),
            ("logs.stored-gb-month", "GB and month", "TimedStorage-ByteHrs"),
            ("logs.vended-gb", "GB", "VendedLog-Bytes"),
            ("logs.vended-to-s3-gb", "GB", "S3-Egress-Bytes"),
        ),
        *_items(
            "AWSLambda",
            ("lambda.request-arm", "request", "Request-ARM"),
            ("lambda.request-x86", "request", "Request"),
            ("lambda.gb-second-arm", "GB-second", "Lambda-GB-Second-ARM"),
            ("lambda.gb-second-x86", "GB-second", "Lambda-GB-Second"),
            ("lambda.provisioned-gb-second-arm", "GB-second", "Lambda-Provisioned-Concurrency-ARM"),
            ("lambda.provisioned-gb-second-x86", "GB-second", "Lambda-Provisioned-Concurrency"),
        ),
        *_items(
            "AmazonStates",
            ("states.transition", "transition", "StateTransition"),
            ("states.express-request", "request", "StepFunctions-Request"),
            ("states.express-gb-second", "GB-second", "StepFunctions-GB-Second"),
        ),
        Item(
            name="sqs.request",
            unit="request",
            offer="AWSQueueService",
            attributes={"group": "SQS-APIRequest-Tier1", "queueType": "Standard"},
        ),
        *_items("AmazonSNS", ("sns.request", "request", "Requests-Tier1")),
        *_items("AmazonSNS", ("sns.email", "email", "DeliveryAttempts-SMTP")),
        Item(
            name="events.custom-event",
            unit="event of 64 KB",
            offer="AWSEvents",
            usage="Event-64K-Chunks",
            attributes={"operation": "PutEvents"},
        ),
        *_items("AWSXRay", ("xray.trace", "trace", "XRay-TracesStored")),
        *_items(
            "AmazonS3",
            ("s3.standard-gb-month", "GB and month", "TimedStorage-ByteHrs"),
            ("s3.write", "request", "Requests-Tier1"),
            ("s3.read", "request", "Requests-Tier2"),
        ),
        *_items("AmazonECR", ("ecr.gb-month", "GB and month", "TimedStorage-ByteHrs")),
        *_items("AmazonEFS", ("efs.standard-gb-month", "GB and month", "TimedStorage-ByteHrs")),
        *_items(
            "AmazonDynamoDB",
            ("dynamodb.gb-month", "GB and month", "TimedStorage-ByteHrs"),
            ("dynamodb.read", "request unit", "ReadRequestUnits"),
            ("dynamodb.write", "request unit", "WriteRequestUnits"),
            ("dynamodb.read-capacity-hour", "unit and hour", "ReadCapacityUnit-Hrs"),
            ("dynamodb.write-capacity-hour", "unit and hour", "WriteCapacityUnit-Hrs"),
        ),
        *_items("AWSSecretsManager", ("secretsmanager.secret-month", "secret and month", "AWSSecretsManager-Secrets")),
        *_items(
            "AmazonSageMaker",
            ("sagemaker.hosting-hour", "instance and hour", "Host:{}"),
            ("sagemaker.hosting-storage-gb-month", "GB and month", "Host:VolumeUsage.gp2"),
            ("sagemaker.training-hour", "instance and hour", "Train:{}"),
            ("sagemaker.processing-hour", "instance and hour", "Processing:{}"),
            ("sagemaker.transform-hour", "instance and hour", "Tsform:{}"),
            ("sagemaker.notebook-hour", "instance and hour", "Notebk:{}"),
            ("sagemaker.jupyterlab-hour", "instance and hour", "Studio:JupyterLab-{}"),
            ("sagemaker.codeeditor-hour", "instance and hour", "Studio:CodeEditor-{}"),
            ("sagemaker.studio-storage-gb-month", "GB and month", "Studio:VolumeUsage.gp3"),
        ),
        # How the price list names these was not found in public material: their prices come from a file only.
        Item(name="sqs.fifo-request", unit="request"),
        Item(name="ssm.advanced-parameter-month", unit="parameter and month"),
        Item(name="sagemaker.training-storage-gb-month", unit="GB and month"),
        Item(name="sagemaker.processing-storage-gb-month", unit="GB and month"),
        Item(name="sagemaker.notebook-storage-gb-month", unit="GB and month"),
        Item(name="sagemaker.inference-gb", unit="GB"),
        Item(name="sagemaker.serverless-gb-second", unit="GB-second"),
        Item(name="sagemaker.serverless-provisioned-gb-second", unit="GB-second"),
    )
}


def item_of(key: str) -> Item:
    """The item of ``name`` or ``name/type``."""
    return ITEMS[key.partition(_FAMILY)[0]]


def key_of(name: str, detail: str = "") -> str:
    """What a price is asked for by."""
    return f"{name}{_FAMILY}{detail}" if detail else name


def detail_in(key: str) -> str:
    """The instance type of ``name/type``, or nothing."""
    return key.partition(_FAMILY)[2]

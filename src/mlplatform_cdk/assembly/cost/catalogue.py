"""What AWS charges for, as far as this tool prices it, and where AWS's price list says how much."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# A usage type begins with the region's short name, except for the oldest ones of us-east-1: `EU-VpcEndpoint-Hours`.
_REGION_PREFIX = r"(?:[A-Z]{2,5}\d*-|[a-z]{2}(?:-[a-z]+)+-\d-)?"
_DETAIL = r"([a-z0-9][a-z0-9.-]*)"  # an instance type, a kind of volume
_FAMILY = "/"  # between an item and what it is of, such as an instance type


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing with a price.

    :param name: our name; an item that has a price for each instance type ends there and is asked for as ``name/type``.
    :param unit: what the price is for one of.
    :param offer: the service's code in AWS's price list; default: none, the price list is not read for it.
    :param usage: its usage type there, without the region's prefix; ``{}`` stands for the instance type, and ``|``
        parts usage types that mean the same.
    :param attributes: more attributes that tell it from others; default: none are needed.
    :param everywhere: one price holds for every region; default: each region has its own.
    """

    name: str
    unit: str
    offer: str = ""
    usage: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    everywhere: bool = False

    def detail_of(self, attributes: Mapping[str, str]) -> str | None:
        """What the product of the price list is of: an instance type, or nothing; None when it is another item."""
        if not self.offer or any(attributes.get(name) != value for name, value in self.attributes.items()):
            return None
        patterns = [re.escape(usage).replace(r"\{\}", _DETAIL) for usage in self.usages] or [".*"]
        match = re.fullmatch(f"{_REGION_PREFIX}(?:{'|'.join(patterns)})", attributes.get("usagetype", ""))
        return None if match is None else "".join(group or "" for group in match.groups())

    @property
    def usages(self) -> tuple[str, ...]:
        """Each of its usage types."""
        return tuple(self.usage.split("|")) if self.usage else ()


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
            ("ebs.gb-month", "GB and month", "EBS:VolumeUsage.{}"),
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
        *_items("AWSQueueService", ("sqs.fifo-request", "request", "Requests-FIFO-RBP|Requests-FIFO-Tier1")),
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
            ("dynamodb.backup-gb-month", "GB and month", "TimedPITRStorage-ByteHrs"),
            ("dynamodb.read", "request unit", "ReadRequestUnits"),
            ("dynamodb.write", "request unit", "WriteRequestUnits"),
            ("dynamodb.replicated-write", "request unit", "ReplWriteRequestUnits"),
            ("dynamodb.read-capacity-hour", "unit and hour", "ReadCapacityUnit-Hrs"),
            ("dynamodb.write-capacity-hour", "unit and hour", "WriteCapacityUnit-Hrs"),
        ),
        *_items(
            "AWSBackup",
            ("backup.table-gb-month", "GB and month", "WarmStorage-ByteHrs-DynamoDB"),
            ("backup.bucket-gb-month", "GB and month", "WarmStorage-ByteHrs-S3"),
            ("backup.file-system-gb-month", "GB and month", "WarmStorage-ByteHrs-EFS"),
        ),
        *_items("AWSSecretsManager", ("secretsmanager.secret-month", "secret and month", "AWSSecretsManager-Secrets")),
        *_items("AWSSystemsManager", ("ssm.advanced-parameter-hour", "parameter and hour", "PS-Advanced-Param-Tier1")),
        *_items(
            "AmazonSageMaker",
            ("sagemaker.hosting-hour", "instance and hour", "Host:{}"),
            ("sagemaker.hosting-storage-gb-month", "GB and month", "Host:VolumeUsage.gp2"),
            ("sagemaker.training-hour", "instance and hour", "Train:{}"),
            ("sagemaker.training-storage-gb-month", "GB and month", "Train:VolumeUsage.gp2"),
            ("sagemaker.processing-hour", "instance and hour", "Processing:{}"),
            ("sagemaker.processing-storage-gb-month", "GB and month", "Processing:VolumeUsage.gp2"),
            ("sagemaker.transform-hour", "instance and hour", "Tsform:{}"),
            ("sagemaker.notebook-hour", "instance and hour", "Notebk:{}"),
            ("sagemaker.notebook-storage-gb-month", "GB and month", "Notebk:VolumeUsage.gp2"),
            ("sagemaker.jupyterlab-hour", "instance and hour", "Studio:JupyterLab-{}"),
            ("sagemaker.codeeditor-hour", "instance and hour", "Studio:CodeEditor-{}"),
            ("sagemaker.studio-storage-gb-month", "GB and month", "Studio:VolumeUsage.gp3"),
            ("sagemaker.inference-gb", "GB", "Hst:Data-Bytes-In|Hst:Data-Bytes-Out"),
            # Memory is charged in proportion: the second of the size of 1 GB is the GB-second.
            ("sagemaker.serverless-gb-second", "GB-second", "ServerlessInf:Mem-1GB"),
            ("sagemaker.serverless-provisioned-gb-second", "GB-second", "ProvisionedConcurrency:Mem-1GB"),
        ),
        *_items(
            "AmazonApiGateway",
            ("apigateway.http-request", "request", "ApiGatewayHttpRequest"),
            ("apigateway.rest-request", "request", "ApiGatewayRequest"),
        ),
        *(
            Item(name=name, unit=unit, offer="AWSELB", attributes={"groupDescription": description})
            for name, unit, description in (
                ("elb.application-hour", "hour", "LoadBalancer hourly usage by Application Load Balancer"),
                ("elb.application-lcu-hour", "unit and hour", "Used Application Load Balancer capacity units-hr"),
                ("elb.network-hour", "hour", "LoadBalancer hourly usage by Network Load Balancer"),
                ("elb.network-lcu-hour", "unit and hour", "Used Network Load Balancer capacity units-hr"),
            )
        ),
        Item(name="fis.action-minute", unit="action and minute"),  # its file of the price list was not seen
        *_items(
            "AmazonECS",
            ("fargate.vcpu-hour-x86", "vCPU and hour", "Fargate-vCPU-Hours:perCPU"),
            ("fargate.gb-hour-x86", "GB and hour", "Fargate-GB-Hours"),
            ("fargate.vcpu-hour-arm", "vCPU and hour", "Fargate-ARM-vCPU-Hours:perCPU"),
            ("fargate.gb-hour-arm", "GB and hour", "Fargate-ARM-GB-Hours"),
        ),
        *_items(
            "awswaf",
            ("waf.acl-month", "web ACL and month", "WebACLV2"),
            ("waf.rule-month", "rule and month", "RuleV2"),
            ("waf.request", "request", "RequestV2-Tier1"),
        ),
        *(
            Item(name=name, unit=unit, offer="AmazonRoute53", usage=usage, everywhere=True)
            for name, unit, usage in (
                ("route53.zone-month", "zone and month", "HostedZone"),
                ("route53.check-month", "health check and month", "Health-Check-AWS"),
                ("route53.check-feature-month", "feature and month", "Health-Check-Option-AWS"),
                ("route53.outside-check-month", "health check and month", "Health-Check-Non-AWS"),
                ("route53.outside-check-feature-month", "feature and month", "Health-Check-Option-Non-AWS"),
            )
        ),
    )
}


def item_of(key: str) -> Item:
    """The item of ``name`` or ``name/type``."""
    return ITEMS[key.partition(_FAMILY)[0]]


OPEN = "a type decided later"  # the detail of an item whose instance type is not known; it has no price


def key_of(name: str, detail: str = "") -> str:
    """What a price is asked for by."""
    return f"{name}{_FAMILY}{detail}" if detail else name


def detail_in(key: str) -> str:
    """The instance type of ``name/type``, or nothing."""
    return key.partition(_FAMILY)[2]

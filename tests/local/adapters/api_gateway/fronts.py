"""A region's front on the embedded AWS: an endpoint that answers, the stack with its API, callers who sign."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import urllib3
from aws_cdk import Environment
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from mlplatform_cdk.assembly.reader import read
from mlplatform_cdk.local import images
from mlplatform_cdk.local.deploy import DeploymentReport, deploy
from mlplatform_cdk.local.settings import Settings
from mlplatform_cdk.routing import HostedZoneReference, RegionalTarget
from mlplatform_cdk.runtimekit.client import Iam, RegionClient, Retries, Unsigned
from mlplatform_cdk.runtimekit.client.http_wire import HttpWire
from tests.local.sagemaker.conftest import DOCKERFILE, PROGRAMS, allow, wait_for
from tests.routing.regional_api.building import PLAN, Built

Client = Callable[[str], Any]
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
_pool = urllib3.PoolManager()


def role_of(client: Client, service: str, policy: dict[str, Any] | None) -> str:
    """A role that ``service`` may assume, or anyone of the account."""
    principal = {"Service": service} if "." in service else {"AWS": "*"}
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
    }
    name = f"role-{uuid.uuid4().hex[:8]}"
    made = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    if policy is not None:
        client("iam").put_role_policy(RoleName=name, PolicyName="Policy", PolicyDocument=json.dumps(policy))
    return str(made["Arn"])


def serve(client: Client, aws: Settings, folder: Path, name: str = "churn") -> None:
    """An endpoint of the small program that says what it was asked."""
    (folder / "serve.py").write_bytes((PROGRAMS / "serve.py").read_bytes())
    (folder / "Dockerfile").write_text(DOCKERFILE.format(program="serve.py"))
    image = f"{aws.account}.dkr.ecr.{aws.region}.amazonaws.com/front:1"
    images.publish(folder, image, settings=aws)
    sagemaker, role = client("sagemaker"), role_of(client, "sagemaker.amazonaws.com", allow("s3:*"))
    sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": image}, ExecutionRoleArn=role)
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait_for(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"], "InService".__eq__)


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Front:
    """A deployed stack with an API."""

    def __init__(
        self,
        client: Client,
        aws: Settings,
        folder: Path,
        domain: str,
        besides: Callable[[Built], object] | None = None,
        **more: Any,
    ) -> None:
        zone = client("route53").create_hosted_zone(Name="example.com", CallerReference=uuid.uuid4().hex)["HostedZone"]
        self.zone_id = zone["Id"].rpartition("/")[2]
        plan = replace(
            PLAN,
            domain_name=domain,
            zone=HostedZoneReference(hosted_zone_id=self.zone_id, zone_name="example.com"),
            regions={aws.region: RegionalTarget(), "eu-west-1": RegionalTarget()},
        )
        self.aws, self.client, self.domain, self.plan = aws, client, domain, plan
        here = Environment(account=aws.account, region=aws.region)
        built = Built(outdir=str(folder), env=here, plan=plan, **more)
        if besides is not None:
            besides(built)
        built.app.synth()
        self.assembly = read(folder)
        self.report: DeploymentReport = deploy(self.assembly, aws)
        resources = client("cloudformation").describe_stack_resources(StackName="Front")["StackResources"]
        self.ids = {one["ResourceType"]: one["PhysicalResourceId"] for one in resources}
        (self.table,) = [
            one["PhysicalResourceId"]
            for one in resources
            if one["ResourceType"] == "AWS::DynamoDB::Table" and one["LogicalResourceId"].startswith("Verdicts")
        ]

    def ask(
        self,
        verb: str,
        path: str,
        body: bytes = b"",
        *,
        host: str = "",
        signed_by: Credentials | None = None,
        **headers: str,
    ) -> Reply:
        """One request over HTTP, by the host's name."""
        url = f"http://127.0.0.1:{self.aws.port}{path}"
        given = {name.replace("_", "-"): value for name, value in headers.items()} | {"Host": host or self.domain}
        if signed_by is not None:
            request = AWSRequest(method=verb, url=url, data=body, headers=given)
            SigV4Auth(signed_by, "execute-api", self.aws.region).add_auth(request)
            given = dict(request.headers)
        answer = _pool.request(verb, url, body=body or None, headers=given, retries=False)
        return Reply(answer.status, answer.headers, answer.data)

    def connected(self, authorization: Iam | Unsigned, **more: Any) -> RegionClient:
        """A client of many regions that knows this one alone, and asks once."""
        region = self.aws.region
        name = self.plan.regional_name(region)
        wire, once = HttpWire(leads_to={name: f"127.0.0.1:{self.aws.port}"}), Retries(attempts=1)
        return RegionClient({region: f"http://{name}"}, authorization=authorization, retries=once, wire=wire, **more)

    def publish(self, status: str, *, seconds: float = 60.0) -> None:
        """A verdict, as the probe leaves it."""
        row = {
            "endpoint": {"S": "churn"},
            "status": {"S": status},
            "valid_until": {"N": str(int((time.time() + seconds) * 1000))},
            "body": {"S": json.dumps({"status": status, "golden": "right", "version": "0a1b"})},
        }
        self.client("dynamodb").put_item(TableName=self.table, Item=row)


def caller(client: Client, aws: Settings, policy: dict[str, Any] | None) -> Credentials:
    """A role's own keys."""
    role = role_of(client, "anyone", policy)
    made = client("sts").assume_role(RoleArn=role, RoleSessionName="caller")["Credentials"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])

"""Does the endpoint of a template become the same live thing as that of the API?"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.local.sagemaker.conftest import Client, archive, name, wait_for


@pytest.fixture
def deploy(client: Client) -> Callable[..., str]:
    """Creates or updates a stack and waits for its end."""

    def run(stack: str, resources: dict[str, Any], *, update: bool = False) -> str:
        cloudformation = client("cloudformation")
        verb = cloudformation.update_stack if update else cloudformation.create_stack
        verb(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))
        seen = wait_for(
            lambda: cloudformation.describe_stacks(StackName=stack)["Stacks"][0],
            lambda each: not each["StackStatus"].endswith("IN_PROGRESS"),
        )
        return str(seen["StackStatus"])

    return run


def _resources(endpoint: str, image: str, role: str, data: str) -> dict[str, Any]:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1,
        "InstanceType": "ml.g5.xlarge",
    }
    container = {"Image": image, "ModelDataUrl": data}
    return {
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {"ExecutionRoleArn": role, "PrimaryContainer": container},
        },
        "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": [variant]}},
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": endpoint,
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
            },
        },
    }


def test_a_template_s_endpoint_is_in_service_when_the_stack_is_created(
    client: Client, deploy: Callable[..., str], image: Callable[[str], str], role: str, bucket: str
) -> None:
    client("s3").put_object(Bucket=bucket, Key="model.tar.gz", Body=archive({"name.txt": "template"}))
    stack, endpoint = name("stack"), name("endpoint")

    status = deploy(stack, _resources(endpoint, image("serve.py"), role, f"s3://{bucket}/model.tar.gz"))

    assert status == "CREATE_COMPLETE"
    answer = client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, Body=b"{}")
    assert json.loads(answer["Body"].read())["who"] == "template"

    client("cloudformation").delete_stack(StackName=stack)
    wait_for(lambda: client("sagemaker").list_endpoints(NameContains=endpoint)["Endpoints"], lambda seen: not seen)

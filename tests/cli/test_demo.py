"""Which apps can ``mlplatform demo`` rehearse, and what does it say of the others?"""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.cli.demo.platform import DeployedPlatform
from mlplatform_cdk.cli.demo.report import StepFailed

ACCOUNT, REGION = "123456789012", "eu-west-1"


@pytest.fixture
def account() -> Iterator[boto3.Session]:
    with mock_aws():
        yield boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key=ACCOUNT, region_name=REGION)


def deployed() -> DeployedPlatform:
    return DeployedPlatform(
        endpoint_url=f"https://aws.{REGION}.amazonaws.com", region=REGION, account=ACCOUNT, environment="dev"
    )


def publish(account: boto3.Session, **parameters: str) -> None:
    for name, value in parameters.items():
        account.client("ssm").put_parameter(Name=name, Value=value, Type="String")


def pipeline(account: boto3.Session, **environment: str) -> str:
    """A pipeline with one job, of this environment."""
    iam = account.client("iam")
    role = iam.create_role(RoleName="machine", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    job = {"Type": "Task", "Resource": "arn:aws:states:::sagemaker:x", "Parameters": {"Environment": environment}}
    definition = json.dumps({"StartAt": "Job", "States": {"Job": {**job, "End": True}}})
    machine = account.client("stepfunctions").create_state_machine(name="p", definition=definition, roleArn=role)
    arn: str = machine["stateMachineArn"]
    return arn


@pytest.fixture(autouse=True)
def plain_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto answers at AWS's own addresses."""
    monkeypatch.setattr(
        DeployedPlatform, "client", lambda self, service: self._session.client(service, region_name=REGION)
    )


@pytest.mark.parametrize("name", ["mlplatform", "churn"])
def test_it_reads_what_the_stacks_of_any_app_publish(account: boto3.Session, name: str) -> None:
    publish(account, **{f"/{name}/dev/data/lake-bucket": "lake", f"/{name}/prod/data/lake-bucket": "other"})

    assert deployed().parameter("data/lake-bucket") == "lake"


def test_an_app_that_publishes_nothing_gets_one_sentence_that_says_what_to_do_instead(account: boto3.Session) -> None:
    with pytest.raises(StepFailed) as failed:
        deployed().dataset()

    assert failed.value.reason == (
        "the demo needs /<app>/<environment>/training/pipeline-arn among the SSM parameters, as an app of mlplatform "
        "init has it, got none; rehearse another app with mlplatform local up"
    )


def test_a_pipeline_without_a_data_set_gets_one_sentence(account: boto3.Session) -> None:
    publish(account, **{"/churn/dev/training/pipeline-arn": pipeline(account, LABEL_COLUMN="label")})

    with pytest.raises(StepFailed, match="one label and one data set in the pipeline, got 1 and 0; rehearse an app"):
        deployed().dataset()

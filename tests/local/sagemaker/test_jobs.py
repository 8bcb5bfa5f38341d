"""What does a SageMaker job do on the embedded AWS?"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.sagemaker.conftest import Client, allow, name, wait_for

DONE = {"Completed", "Failed", "Stopped"}


@pytest.fixture
def train(client: Client, image: Callable[[str], str], role: str, bucket: str) -> Callable[..., dict[str, Any]]:
    """Starts a training job over one object and answers its description at the end."""
    client("s3").put_object(Bucket=bucket, Key="data/train.csv", Body=b"a,b\n1,2\n")

    def run(*, wait: bool = True, **changes: Any) -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/data/"}
        request = {
            "TrainingJobName": name("train"),
            "RoleArn": role,
            "AlgorithmSpecification": {
                "TrainingImage": image("job.py"),
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "score", "Regex": r"score=([0-9.]+)"}],
            },
            "HyperParameters": {"C": "0.5"},
            "InputDataConfig": [{"ChannelName": "dataset", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/model"},
            "ResourceConfig": {"InstanceType": "ml.p4d.24xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        } | changes
        sagemaker = client("sagemaker")
        job = {"TrainingJobName": request["TrainingJobName"]}
        sagemaker.create_training_job(**request)
        if not wait:
            return sagemaker.describe_training_job(**job)  # type: ignore[no-any-return]
        return wait_for(  # type: ignore[no-any-return]
            lambda: sagemaker.describe_training_job(**job), lambda seen: seen["TrainingJobStatus"] in DONE
        )

    return run


@pytest.fixture
def process(client: Client, image: Callable[[str], str], role: str, bucket: str) -> Callable[..., dict[str, Any]]:
    """Runs a processing job over one object and answers its description at the end."""
    client("s3").put_object(Bucket=bucket, Key="raw/a.csv", Body=b"abc")

    def run(**changes: Any) -> dict[str, Any]:
        source = {
            "S3Uri": f"s3://{bucket}/raw/",
            "LocalPath": "/opt/ml/processing/input/raw",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        }
        target = {
            "S3Uri": f"s3://{bucket}/dataset",
            "LocalPath": "/opt/ml/processing/output/dataset",
            "S3UploadMode": "EndOfJob",
        }
        request = {
            "ProcessingJobName": name("process"),
            "RoleArn": role,
            "AppSpecification": {"ImageUri": image("job.py"), "ContainerArguments": ["preprocess"]},
            "ProcessingInputs": [{"InputName": "raw", "S3Input": source}],
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "dataset", "S3Output": target}]},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 1}
            },
        } | changes
        sagemaker = client("sagemaker")
        job = {"ProcessingJobName": request["ProcessingJobName"]}
        sagemaker.create_processing_job(**request)
        return wait_for(  # type: ignore[no-any-return]
            lambda: sagemaker.describe_processing_job(**job), lambda seen: seen["ProcessingJobStatus"] in DONE
        )

    return run


def test_training_reads_its_channels_and_leaves_a_packed_model(
    train: Callable[..., dict[str, Any]], client: Client, bucket: str
) -> None:
    seen = train(Environment={"RUN_ID": "r1"})

    assert seen["TrainingJobStatus"] == "Completed", seen.get("FailureReason")
    assert [each["Status"] for each in seen["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert seen["Environment"] == {"RUN_ID": "r1"}
    assert seen["FinalMetricDataList"][0]["Value"] == 0.75
    key = seen["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{bucket}/")
    packed = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as model:
        inside = json.load(model.extractfile("seen.json"))  # type: ignore[arg-type]
    assert inside["files"] == ["input/data/dataset/train.csv"]
    assert inside["hyperparameters"] == {"C": "0.5"}
    assert inside["hosts"]["current_host"] == "algo-1"
    assert inside["channels"]["dataset"]["TrainingInputMode"] == "File"
    assert inside["job"] == seen["TrainingJobName"]
    assert inside["foreign"] is None


def test_processing_uploads_what_its_program_wrote(
    process: Callable[..., dict[str, Any]], client: Client, bucket: str
) -> None:
    seen = process()

    assert seen["ProcessingJobStatus"] == "Completed", seen.get("FailureReason")
    assert seen["ExitMessage"] == "copied"
    assert client("s3").get_object(Bucket=bucket, Key="dataset/a.csv")["Body"].read() == b"ABC"


def test_a_failed_program_says_why_in_one_sentence(train: Callable[..., dict[str, Any]]) -> None:
    seen = train(Environment={"BEHAVIOUR": "fail"})

    assert seen["TrainingJobStatus"] == seen["SecondaryStatus"] == "Failed"
    assert seen["FailureReason"] == "AlgorithmError: the label column is missing, exit code: 3"


def test_a_failed_processing_job_carries_its_exit_message(process: Callable[..., dict[str, Any]]) -> None:
    seen = process(Environment={"BEHAVIOUR": "fail"})

    assert seen["ProcessingJobStatus"] == "Failed"
    assert seen["ExitMessage"] == "the label column is missing"
    assert seen["FailureReason"].endswith("exit code: 3")


def test_a_role_without_permission_fails_the_job(
    train: Callable[..., dict[str, Any]], make_role: Callable[[Any], str]
) -> None:
    listing_only = make_role(allow("s3:ListBucket"))

    seen = train(RoleArn=listing_only)

    assert seen["TrainingJobStatus"] == "Failed"
    assert seen["FailureReason"].startswith("ClientError: Data download failed:AccessDenied (403)")
    assert listing_only in seen["FailureReason"]


def test_missing_objects_fail_the_job(process: Callable[..., dict[str, Any]], bucket: str) -> None:
    source = {
        "S3Uri": f"s3://{bucket}/nothing/",
        "LocalPath": "/opt/ml/processing/input/raw",
        "S3DataType": "S3Prefix",
    }

    seen = process(ProcessingInputs=[{"InputName": "raw", "S3Input": source}])

    assert seen["ProcessingJobStatus"] == "Failed"
    assert f'No S3 objects found under S3 URL "s3://{bucket}/nothing/"' in seen["FailureReason"]


def test_an_image_that_is_no_asset_fails_the_job(train: Callable[..., dict[str, Any]]) -> None:
    image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.6"

    seen = train(AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"})

    assert seen["TrainingJobStatus"] == "Failed"
    assert image in seen["FailureReason"]


def test_a_role_that_sagemaker_cannot_assume_is_refused_at_once(train: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(ClientError, match="Could not assume role"):
        train(RoleArn="arn:aws:iam::123456789012:role/nobody")


def test_a_stopped_job_ends_stopped_and_keeps_its_model(train: Callable[..., dict[str, Any]], client: Client) -> None:
    running = train(wait=False, Environment={"BEHAVIOUR": "sleep"})
    job = {"TrainingJobName": running["TrainingJobName"]}
    describe = client("sagemaker").describe_training_job
    wait_for(lambda: describe(**job), lambda seen: seen["SecondaryStatus"] == "Training")

    client("sagemaker").stop_training_job(**job)

    seen = wait_for(lambda: describe(**job), lambda seen: seen["TrainingJobStatus"] in DONE)
    assert seen["TrainingJobStatus"] == seen["SecondaryStatus"] == "Stopped"


def test_a_job_over_its_time_is_stopped(train: Callable[..., dict[str, Any]]) -> None:
    seen = train(Environment={"BEHAVIOUR": "sleep"}, StoppingCondition={"MaxRuntimeInSeconds": 1})

    assert (seen["TrainingJobStatus"], seen["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_job_name_is_used_once(train: Callable[..., dict[str, Any]]) -> None:
    first = train()

    with pytest.raises(ClientError, match="already exists") as refused:
        train(TrainingJobName=first["TrainingJobName"])

    assert refused.value.response["Error"]["Code"] == "ResourceInUse"


def test_what_a_job_prints_is_in_its_log_group(train: Callable[..., dict[str, Any]], client: Client) -> None:
    seen = train()

    logs, group = client("logs"), "/aws/sagemaker/TrainingJobs"
    found = logs.filter_log_events(logGroupName=group, logStreamNamePrefix=seen["TrainingJobName"])["events"]
    assert any("arguments ['train']" in event["message"] for event in found)


def test_jobs_are_listed_and_tagged(train: Callable[..., dict[str, Any]], client: Client) -> None:
    seen = train(Tags=[{"Key": "run", "Value": "r1"}])

    sagemaker = client("sagemaker")
    listed = sagemaker.list_training_jobs(NameContains=seen["TrainingJobName"])["TrainingJobSummaries"]
    assert [job["TrainingJobStatus"] for job in listed] == ["Completed"]
    tags = sagemaker.list_tags(ResourceArn=seen["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "run", "Value": "r1"}]

"""What does a batch transform leave in S3?"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.local.sagemaker.conftest import Client, archive, name, wait_for


def transform(
    client: Client, image: Callable[[str], str], role: str, bucket: str, content: bytes, **more: Any
) -> list[dict[str, Any]]:
    """What the container saw of each request for an object with ``content``."""
    s3, sagemaker, model, job = client("s3"), client("sagemaker"), name("model"), name("transform")
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=archive({"name.txt": "batch"}))
    s3.put_object(Bucket=bucket, Key=f"{job}/a.csv", Body=content)
    container = {"Image": image("serve.py"), "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    sagemaker.create_model(ModelName=model, PrimaryContainer=container, ExecutionRoleArn=role)

    sagemaker.create_transform_job(
        TransformJobName=job,
        ModelName=model,
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{job}/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out-{job}", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **more,
    )

    seen = wait_for(
        lambda: sagemaker.describe_transform_job(TransformJobName=job),
        lambda each: each["TransformJobStatus"] != "InProgress",
    )
    if seen["TransformJobStatus"] != "Completed":
        raise AssertionError(seen.get("FailureReason"))
    lines = s3.get_object(Bucket=bucket, Key=f"out-{job}/a.csv.out")["Body"].read().splitlines()
    return [json.loads(line) for line in lines]


def test_each_object_becomes_an_answer(client: Client, image: Callable[[str], str], role: str, bucket: str) -> None:
    answers = transform(client, image, role, bucket, b"1\n2\n", BatchStrategy="SingleRecord")

    assert [(one["who"], one["length"]) for one in answers] == [("batch", 2), ("batch", 2)]
    assert answers[0]["batch"] == {"SAGEMAKER_BATCH": "true", "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD"}


def test_the_container_is_told_what_the_job_asks_for(
    client: Client, image: Callable[[str], str], role: str, bucket: str
) -> None:
    megabyte = 2**20 * b"1"
    (first, second) = transform(
        client,
        image,
        role,
        bucket,
        b"\n".join([megabyte, megabyte, megabyte]),
        BatchStrategy="MultiRecord",
        MaxPayloadInMB=3,
        MaxConcurrentTransforms=2,
        Environment={"OF_THE_JOB": "yes"},
    )

    assert (first["length"], second["length"]) == (2 * 2**20 + 2, 2**20)
    assert first["batch"] == {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_BATCH_STRATEGY": "MULTI_RECORD",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "3",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "2",
        "OF_THE_JOB": "yes",
    }


def test_a_record_larger_than_the_payload_fails_the_job(
    client: Client, image: Callable[[str], str], role: str, bucket: str
) -> None:
    with pytest.raises(AssertionError, match="is larger than MaxPayloadInMB"):
        transform(client, image, role, bucket, 2**20 * b"1" + b"1", MaxPayloadInMB=1)

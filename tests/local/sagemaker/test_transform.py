"""What does a batch transform leave in S3?"""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.local.sagemaker.conftest import Client, archive, name, wait_for


def test_each_object_becomes_an_answer(client: Client, image: Callable[[str], str], role: str, bucket: str) -> None:
    s3, sagemaker, model, job = client("s3"), client("sagemaker"), name("model"), name("transform")
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=archive({"name.txt": "batch"}))
    s3.put_object(Bucket=bucket, Key="in/a.csv", Body=b"1\n2\n")
    container = {"Image": image("serve.py"), "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    sagemaker.create_model(ModelName=model, PrimaryContainer=container, ExecutionRoleArn=role)

    sagemaker.create_transform_job(
        TransformJobName=job,
        ModelName=model,
        BatchStrategy="SingleRecord",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/in/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )

    seen = wait_for(
        lambda: sagemaker.describe_transform_job(TransformJobName=job),
        lambda each: each["TransformJobStatus"] != "InProgress",
    )
    assert seen["TransformJobStatus"] == "Completed", seen.get("FailureReason")
    lines = s3.get_object(Bucket=bucket, Key="out/a.csv.out")["Body"].read().splitlines()
    assert [(json.loads(line)["who"], json.loads(line)["length"]) for line in lines] == [("batch", 2), ("batch", 2)]

"""Tiny containers, a role and a bucket: what the tests of jobs, endpoints and packages start from."""

from __future__ import annotations

import io
import json
import tarfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from mlplatform_cdk.local import images
from mlplatform_cdk.local.settings import Settings

Client = Callable[[str], Any]
PROGRAMS = Path(__file__).parent / "programs"
DOCKERFILE = 'FROM scratch\nWORKDIR /opt/program\nCOPY . /opt/program\nENTRYPOINT ["python", "{program}"]\n'
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def allow(*actions: str) -> dict[str, Any]:
    """A policy that allows ``actions`` everywhere."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


def wait_for(look: Callable[[], Any], ready: Callable[[Any], bool], seconds: float = 30.0) -> Any:
    """What ``look`` sees once it is ``ready``."""
    deadline = time.monotonic() + seconds
    while not ready(seen := look()):
        assert time.monotonic() < deadline, f"not ready after {seconds} s: {seen}"
        time.sleep(0.03)
    return seen


def asking_once(settings: Settings) -> Any:
    """A client of ``sagemaker-runtime`` that asks once, from many threads."""
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
        aws_access_key_id="admin",
        aws_secret_access_key="admin",
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=16),
    )


def name(start: str) -> str:
    """A name that no other test uses."""
    return f"{start}-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def image(aws: Settings, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The URI of a published image that runs one of the programs beside this file."""

    def of(program: str) -> str:
        folder = tmp_path_factory.mktemp("image")
        (folder / program).write_bytes((PROGRAMS / program).read_bytes())
        (folder / "Dockerfile").write_text(DOCKERFILE.format(program=program))
        uri = f"{aws.account}.dkr.ecr.{aws.region}.amazonaws.com/{program}:1"
        images.publish(folder, uri, settings=aws)
        return uri

    return of


@pytest.fixture(scope="session")
def make_role(client: Client) -> Callable[[dict[str, Any] | None], str]:
    """Makes a role that SageMaker may assume, with one policy or none."""

    def make(policy: dict[str, Any] | None) -> str:
        iam = client("iam")
        role = iam.create_role(RoleName=name("role"), AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
        if policy is not None:
            iam.put_role_policy(RoleName=role["RoleName"], PolicyName="Policy", PolicyDocument=json.dumps(policy))
        return str(role["Arn"])

    return make


@pytest.fixture(scope="session")
def role(make_role: Callable[[dict[str, Any] | None], str]) -> str:
    """A role that may read and write S3."""
    return make_role(allow("s3:*"))


@pytest.fixture
def bucket(client: Client) -> str:
    """An empty bucket."""
    made = name("bucket")
    client("s3").create_bucket(Bucket=made)
    return made


def archive(files: dict[str, str]) -> bytes:
    """A model.tar.gz."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()

"""Does the real cdk CLI deploy to the embedded AWS, with nothing but AWS_ENDPOINT_URL to tell it so?"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk import App, CfnOutput, Environment, RemovalPolicy, Stack, Stage
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from mlplatform_cdk.local import docker, images, server
from mlplatform_cdk.local.settings import Settings, client_environment
from tests.local.conftest import clients_of

CLI = Path(os.environ.get("MLPLATFORM_CDK_CLI", Path(__file__).parents[3] / "node_modules" / ".bin" / "cdk"))
NODE = Path(os.environ["JSII_NODE"])

DOCKERFILE = 'FROM scratch\nCOPY . /opt/program\nENTRYPOINT ["python", "/opt/program/job.py"]\n'

pytestmark = [
    pytest.mark.cdk_cli,
    pytest.mark.skipif(not CLI.exists(), reason="the cdk CLI is not installed; make test installs it"),
]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An account of its own: in the session's, a deployment may have assumed the bootstrap that is tested here."""
    with server.start(Settings(state_dir=tmp_path_factory.mktemp("aws"))) as running:
        yield running.settings


@pytest.fixture(scope="module")
def client(aws: Settings) -> Callable[[str], Any]:
    return clients_of(aws)


def synthesize(folder: Path, aws: Settings, *, versioned: bool) -> Path:
    """A small app with a function, an asset and an export, in a stage as the platform's are."""
    code = folder / "code"
    code.mkdir(exist_ok=True)
    (code / "index.py").write_text("def handle(event, context):\n    return event\n")
    out = folder / f"out-{versioned}"
    app = App(outdir=str(out))
    stage = Stage(app, "Stage", env=Environment(account=aws.account, region=aws.region))
    stack = Stack(stage, "FromCli", stack_name="FromCli")
    bucket = s3.Bucket(stack, "Bucket", removal_policy=RemovalPolicy.DESTROY, versioned=versioned)
    lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_12,
        handler="index.handle",
        code=lambda_.Code.from_asset(str(code)),
    )
    image = folder / "image"
    image.mkdir(exist_ok=True)
    (image / "Dockerfile").write_text(
        'FROM scratch\nCOPY . /opt/program\nENTRYPOINT ["python", "/opt/program/job.py"]\n'
    )
    (image / "job.py").write_text("")
    (image / "mlplatform_cdk").mkdir(exist_ok=True)  # as in the serving image, whose context is a part of the package
    (image / "mlplatform_cdk" / "__init__.py").write_text("")
    CfnOutput(stack, "ImageUri", value=ecr_assets.DockerImageAsset(stack, "Image", directory=str(image)).image_uri)
    CfnOutput(stack, "BucketName", value=bucket.bucket_name, export_name="from-cli")
    app.synth()
    return out


def cdk(aws: Settings, folder: Path, *arguments: str) -> str:
    """Run the CLI; its output."""
    environment = client_environment(aws) | {
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DOCKER": str(docker.write_program(aws)),
        "CI": "true",
        "HOME": str(folder),
        "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        [str(CLI), *arguments, "--no-notices"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_bootstrap_deploy_update_and_destroy(aws: Settings, client: Callable[[str], Any], tmp_path: Path) -> None:
    app, changed = synthesize(tmp_path, aws, versioned=False), synthesize(tmp_path, aws, versioned=True)
    deploying = ("deploy", "**", "--require-approval", "never", "--app")

    assert "bootstrapped" in cdk(aws, tmp_path, "bootstrap", f"aws://{aws.account}/{aws.region}", "--app", str(app))
    assert ".BucketName = " in cdk(aws, tmp_path, *deploying, str(app))
    assert "(no changes)" in cdk(aws, tmp_path, *deploying, str(app))
    cdk(aws, tmp_path, *deploying, str(changed))

    outputs = client("cloudformation").describe_stacks(StackName="FromCli")["Stacks"][0]["Outputs"]
    values = {output["OutputKey"]: output["OutputValue"] for output in outputs}
    assert client("s3").get_bucket_versioning(Bucket=values["BucketName"])["Status"] == "Enabled"
    assert images.resolve(values["ImageUri"], aws).command_line()[1].endswith("opt/program/job.py")

    cdk(aws, tmp_path, "destroy", "**", "--force", "--app", str(changed))
    with pytest.raises(boto3.exceptions.botocore.exceptions.ClientError, match="does not exist"):
        client("cloudformation").describe_stacks(StackName="FromCli")

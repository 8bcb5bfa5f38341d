"""What the library has beside the stacks that this repository deploys, synthesized for the same tests."""

from dataclasses import replace
from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms

from mlplatform_cdk.core import PlatformFunction
from mlplatform_cdk.delivery import Delivery, DeliveryPipeline
from mlplatform_cdk.foundation import Keys, PlatformStack
from mlplatform_cdk.serving import ImagePipeline, ImageRegistry
from stacks.environments import DEV
from tests.delivery.conftest import ABROAD, CONTEXT, HOME, SOURCE, small_stage
from tests.stacks.conftest import Platform, read_stacks

HERE = replace(DEV, account="111122223333", region="us-east-1")  # where the pipeline of tests/delivery is


def delivery(folder: Path) -> Platform:
    """A pipeline over an environment of its own account and one abroad, with the stacks that it needs there."""
    image = folder / "image"
    image.mkdir()
    (image / "Dockerfile").write_text("FROM scratch\n")
    app = App(context=CONTEXT, outdir=str(folder / "cdk.out"))
    DeliveryPipeline(
        Stack(app, "Delivery", env=HOME),
        "Pipeline",
        source=SOURCE,
        deliveries=[
            Delivery(stage=small_stage("Dev", HOME, image)),
            Delivery(stage=small_stage("Prod", ABROAD, image), gate="Dev served a day without an alarm"),
        ],
    )
    app.synth()
    return Platform(HERE, read_stacks(folder / "cdk.out"), ())


def function_in_a_vpc(folder: Path) -> Platform:
    """The one option of ``PlatformFunction`` that no stack of ours takes."""
    app = App(context=CONTEXT, outdir=str(folder / "cdk.out"))
    stack = Stack(app, "Function", env=HOME)
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["us-east-1a"], private_subnet_ids=["subnet-1"]
    )
    PlatformFunction(
        stack,
        "Handler",
        package="mlplatform_cdk.data.ingest.runtime",
        description="stands in a VPC",
        key=kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:us-east-1:111122223333:key/data"),
        vpc=vpc,
    )
    app.synth()
    return Platform(HERE, read_stacks(folder / "cdk.out"), ())


def image_pipeline(folder: Path) -> Platform:
    """The serving image as AWS builds it, with the rules of the registry that it goes to."""
    app = App(context=CONTEXT, outdir=str(folder / "cdk.out"))
    stack = PlatformStack(app, "Images", env=HOME)
    registry = ImageRegistry(stack, "Registry", prefix="mlplatform", copies_to=["eu-west-1"])
    ImagePipeline(stack, "Serving", registry=registry, name="serving", key=Keys(stack, "Keys").data)
    app.synth()
    return Platform(HERE, read_stacks(folder / "cdk.out"), ())

"""What does the image of the jobs stand on?"""

from pathlib import Path

import pytest
from aws_cdk import App, Environment, Stack

from mlplatform_cdk.assembly import reader
from mlplatform_cdk.training import JobImage

BASE = "example.test/python:3.13@sha256:" + 64 * "1"


@pytest.mark.parametrize(("base_image", "told"), [(None, {}), (BASE, {"BASE_IMAGE": BASE})])
def test_the_base_of_the_job_image_is_the_dockerfiles_or_the_callers(
    base_image: str | None, told: dict[str, str]
) -> None:
    app = App(context={"aws:cdk:bundling-stacks": []})
    stack = Stack(app, "Jobs", env=Environment(account="123456789012", region="eu-west-1"))

    JobImage(stack, "Image", base_image=base_image)

    (read,) = reader.read(Path(app.synth().directory)).all_stacks()
    (image,) = read.assets(account="123456789012", region="eu-west-1")[1]
    assert image.build_arguments == told

"""What of a Dockerfile runs without Docker?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mlplatform_cdk.local import docker, images
from mlplatform_cdk.local.images import DockerfileError, ImageNotHere
from mlplatform_cdk.local.requirements import differences
from mlplatform_cdk.local.settings import SETTINGS_VARIABLE, Settings

DOCKERFILE = """
# a comment
ARG BASE=python:3.14-slim
FROM ${BASE} AS build
RUN pip install --target /opt/packages \\
    -r requirements.txt
WORKDIR /opt/made
COPY data/*.txt ./

FROM ${BASE}
ARG MODE=quiet
ENV PYTHONPATH=/opt/program:/elsewhere MODE=${MODE} COST=\\$5
WORKDIR /opt/program
COPY . .
COPY --from=build /opt/made /opt/data
COPY --from=build /opt/packages /opt/packages
USER 1000
EXPOSE 8080
ENTRYPOINT ["python", "-m", "job"]
CMD ["train"]
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "a.txt").write_text("a")
    (folder / "job.py").write_text("")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    return folder


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path / "state")


def test_copies_variables_and_folders_become_a_tree(context: Path, here: Settings) -> None:
    image = images.publish(context, "repo:one", settings=here, build_arguments={"MODE": "loud"})

    assert (image.root / "opt/program/job.py").exists()
    assert (image.root / "opt/data/a.txt").read_text() == "a"
    assert image.workdir == image.root / "opt/program"
    assert image.environment == {
        "PYTHONPATH": f"{image.root}/opt/program:/elsewhere",
        "MODE": "loud",
        "COST": "$5",
    }


def test_the_images_python_is_ours_and_arguments_replace_the_command(context: Path, here: Settings) -> None:
    image = images.publish(context, "repo:one", settings=here)

    assert image.command_line() == [sys.executable, "-m", "job", "train"]
    assert image.command_line(("evaluate",)) == [sys.executable, "-m", "job", "evaluate"]
    assert image.command_line(entrypoint=("python3", "x.py")) == [sys.executable, "x.py"]


def test_what_only_a_run_would_make_is_noted(context: Path, here: Settings) -> None:
    notes = images.publish(context, "repo:one", settings=here).notes

    assert notes == ("COPY --from=build /opt/packages was left out: a RUN makes it, and none is run",)


def test_a_published_image_is_found_by_its_uri_and_no_other_is(context: Path, here: Settings) -> None:
    image = images.publish(context, "repo:one", settings=here)

    assert images.resolve("repo:one", here) == image
    with pytest.raises(ImageNotHere, match="repo:two is no asset of the deployed assembly"):
        images.resolve("repo:two", here)


@pytest.mark.parametrize(
    ("dockerfile", "problem"),
    [
        pytest.param("FROM x\nADD a b", "line 2: ADD cannot be rehearsed", id="another instruction"),
        pytest.param("FROM x\nCOPY nothing /a", "COPY finds no nothing", id="nothing to copy"),
        pytest.param("FROM x\nCOPY . ../../..", "leaves the image", id="out of the image"),
        pytest.param("COPY . .", "stands before FROM", id="no base"),
        pytest.param("# nothing", "has no FROM", id="empty"),
    ],
)
def test_a_dockerfile_that_cannot_be_rehearsed_says_where(
    context: Path, here: Settings, dockerfile: str, problem: str
) -> None:
    (context / "Dockerfile").write_text(dockerfile)

    with pytest.raises(DockerfileError, match=problem):
        images.publish(context, "repo:one", settings=here)


def test_an_image_with_nothing_to_run_says_so(context: Path, here: Settings) -> None:
    (context / "Dockerfile").write_text("FROM x")

    with pytest.raises(ImageNotHere, match="neither ENTRYPOINT nor CMD"):
        images.publish(context, "repo:one", settings=here).command_line()


def test_packages_that_differ_from_the_images_are_named(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(
        "boto3==0.0.1 \\\n    --hash=sha256:abc\n"
        "no-such-package==1 ; python_version > '3'\n"
        "absent==1 ; python_version < '3'\n"
    )

    wrong, missing = differences(requirements)

    assert "boto3==0.0.1, here runs" in wrong
    assert missing == "the image has no-such-package==1, which is not installed here"


def test_what_was_built_for_one_region_is_found_for_another(
    context: Path, here: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(SETTINGS_VARIABLE, here.to_json())
    home, other = (f"1.dkr.ecr.{region}.amazonaws.com/assets-{region}:abc" for region in ("eu-west-1", "eu-central-1"))
    looked_for = ["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=*/*:abc"]

    assert docker.main(["build", "--tag", "cdkasset-abc", str(context)]) == 0
    assert docker.main(["tag", "cdkasset-abc", home]) == 0
    assert docker.main(["inspect", other]) == 1
    assert docker.main(looked_for) == 0
    assert capsys.readouterr().out == f"{home}\n"
    assert docker.main(["tag", home, other]) == docker.main(["inspect", other]) == 0

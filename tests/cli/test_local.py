"""Does ``mlplatform local`` take the place that is asked for, and touch nothing that is not its own?"""

import json
import socket
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).parents[2]


def local(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "mlplatform"), "local", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


# An environment in another account and region than the embedded AWS's own, which has something elsewhere first.
ELSEWHERE = """
from aws_cdk import App, Environment, Stack, aws_ssm as ssm

app = App()
name = app.node.get_context("environment")
stack = Stack(app, "Small", env=Environment(account="777788889999", region="eu-west-1"))
parameter = ssm.CfnParameter(stack, "Place", name=f"/{name}/place", type="String", value="-")
parameter.add_property_override("Value", {"Fn::Sub": "${AWS::AccountId}/${AWS::Region}"})
for id, region in (("First", "eu-central-1"), ("Second", "eu-west-1")):
    beside = Stack(app, id, env=Environment(account="777788889999", region=region))
    ssm.CfnParameter(beside, "Parameter", name=f"/{id}", type="String", value="-")
    stack.add_stack_dependency(beside)
app.synth()
"""


def test_the_embedded_aws_plays_the_account_and_region_of_the_environment(tmp_path: Path) -> None:
    state_dir, app = str(tmp_path / "state"), tmp_path / "app"
    app.mkdir()
    (app / "app.py").write_text(ELSEWHERE)
    (app / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))

    up = local("up", "-c", "environment=prod", "--state-dir", state_dir, folder=app)
    try:
        assert up.returncode == 0, up.stderr
        lines = [line.removeprefix("export ") for line in up.stdout.splitlines() if line.startswith("export ")]
        exports = dict(line.split("=", 1) for line in lines)
        session = boto3.Session(
            aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
            region_name=exports["AWS_REGION"],
        )
        ssm = session.client("ssm", endpoint_url=exports["AWS_ENDPOINT_URL"])
        place = ssm.get_parameter(Name="/prod/place")["Parameter"]["Value"]
    finally:
        assert local("down", "--state-dir", state_dir).returncode == 0

    assert place == "777788889999/eu-west-1"


@pytest.mark.parametrize("verb", [("up", "--empty"), ("down",)])
def test_a_folder_with_files_of_others_is_refused_and_left_alone(tmp_path: Path, verb: tuple[str, ...]) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    ended = local(*verb, "--state-dir", str(tmp_path))

    assert ended.returncode == 2
    assert ended.stderr == (
        f"failed: --state-dir must be new, empty or an embedded AWS's own, got {tmp_path}; name another\n"
    )
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_port_in_use_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        ended = local("up", "--empty", "--port", port, "--state-dir", str(tmp_path / "state"))

    assert ended.returncode == 2
    assert ended.stderr.startswith(f"failed: the port {port} of 127.0.0.1 must be free, got: ")
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "state").exists()


def test_an_app_that_does_not_synthesize_leaves_nothing(tmp_path: Path) -> None:
    ended = local("up", "-c", "environment=[dev]", "--state-dir", str(tmp_path / "state"))

    assert ended.returncode == 2
    assert ended.stderr == "failed: the environment must be one of dev, staging, prod, got '[dev]'\n"
    assert not (tmp_path / "state").exists()


def test_down_ends_no_process_that_has_the_number_of_one_that_ended(tmp_path: Path) -> None:
    settings = {"state_dir": str(tmp_path), "port": 1}
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as stranger:
        (tmp_path / "server.log").touch()
        (tmp_path / "server.json").write_text(json.dumps({"pid": stranger.pid, "settings": settings}))

        down = local("down", "--state-dir", str(tmp_path))
        status = stranger.poll()
        stranger.kill()

    assert (down.returncode, status) == (0, None)
    assert not tmp_path.exists()

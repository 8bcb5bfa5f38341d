"""Does an embedded AWS that stays up serve other programs, and does it go without a trace?"""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import psutil

ROOT = Path(__file__).parents[2]


def mlplatform_local(verb: str, state_dir: Path) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).parent / "mlplatform")
    command = [program, "local", verb, "--state-dir", str(state_dir)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def exports_in(text: str) -> dict[str, str]:
    lines = [line.removeprefix("export ") for line in text.splitlines() if line.startswith("export ")]
    return dict(line.split("=", 1) for line in lines)


def test_what_comes_up_can_be_called_and_what_goes_down_leaves_nothing(tmp_path: Path) -> None:
    state_dir = tmp_path / "copy" / "state"

    up = mlplatform_local("up", state_dir)
    assert up.returncode == 0, up.stderr
    processes: list[psutil.Process] = []
    try:
        server = psutil.Process(json.loads((state_dir / "server.json").read_text())["pid"])
        processes = [server, *server.children(recursive=True)]
        exports = exports_in(up.stdout)
        session = boto3.Session(
            aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
            region_name=exports["AWS_REGION"],
        )
        cloudformation = session.client("cloudformation", endpoint_url=exports["AWS_ENDPOINT_URL"])
        stacks = {one["StackName"]: one["StackStatus"] for one in cloudformation.describe_stacks()["Stacks"]}
        identity = subprocess.run(
            [str(Path(sys.executable).parent / "aws"), "sts", "get-caller-identity", "--output", "json"],
            env=os.environ | exports,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        again = mlplatform_local("up", state_dir)
    finally:
        down = mlplatform_local("down", state_dir)

    assert {name for name in stacks if name.startswith("MlPlatform-Dev-")} == {
        f"MlPlatform-Dev-{name}" for name in ("Data", "Foundation", "Registry", "Serving", "Training", "Workspace")
    }
    assert set(stacks.values()) == {"CREATE_COMPLETE"}
    assert all(f"✓ {name}: " in up.stdout for name in stacks if name.startswith("MlPlatform-Dev-"))
    assert identity.returncode == 0, identity.stderr
    assert json.loads(identity.stdout)["Account"] == exports["AWS_ACCESS_KEY_ID"]
    assert (again.returncode, "already runs" in again.stderr) == (2, True)
    assert (down.returncode, down.stdout) == (0, "stopped; nothing is left of it\n")
    assert [process for process in processes if process.is_running()] == []
    assert not state_dir.exists()
    assert [*state_dir.parent.iterdir()] == []

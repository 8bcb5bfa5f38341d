"""Does the demo walk the whole path of an app that ``mlplatform init`` has just written?"""

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("mlplatform")


def test_the_demo_rehearses_a_new_app_under_its_own_name_prefix_and_label(tmp_path: Path) -> None:
    subprocess.run([PROGRAM, "init", "churn"], cwd=tmp_path, check=True, capture_output=True)

    ended = subprocess.run(
        [PROGRAM, "demo", "--json"], cwd=tmp_path / "churn", capture_output=True, text=True, check=False
    )

    report = json.loads(ended.stdout)
    assert report["succeeded"], ended.stderr
    assert "Churn-Dev-Foundation" in {stack["name"] for stack in report["stacks"]}
    assert "/dev-churn/" in report["model"]["arn"]
    assert report["refused"]["error"] == "ModelRefused"

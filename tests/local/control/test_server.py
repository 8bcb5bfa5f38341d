"""Does the embedded AWS start, answer and end?"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.local import server
from mlplatform_cdk.local.settings import SETTINGS_VARIABLE, NoEmbeddedAws, Settings

START_AND_DIE = """
import os, pathlib, sys
from mlplatform_cdk.local import server, settings
print(server.start(settings.Settings(state_dir=pathlib.Path(sys.argv[1]))).pid, flush=True)
os._exit(1)
"""


def test_it_plays_the_account_and_the_region_of_its_settings(aws: Settings, client: Callable[[str], Any]) -> None:
    assert client("sts").get_caller_identity()["Account"] == aws.account
    assert client("s3").meta.region_name == aws.region


def test_a_second_one_in_the_same_folder_is_refused(aws: Settings) -> None:
    with pytest.raises(server.ServerFailed, match="already runs"):
        server.start(aws)


def test_it_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    starter = subprocess.run(
        [sys.executable, "-c", START_AND_DIE, str(tmp_path)], capture_output=True, text=True, check=False
    )
    pid = int(starter.stdout)

    deadline = time.monotonic() + 10
    while server._is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not server._is_alive(pid)


def test_one_that_cannot_begin_ends_badly_and_says_why() -> None:
    environment = {name: value for name, value in os.environ.items() if name != SETTINGS_VARIABLE}
    ended = subprocess.run(
        [sys.executable, "-m", "mlplatform_cdk.local.serve"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )

    assert ended.returncode == 1
    assert f"KeyError: '{SETTINGS_VARIABLE}'" in ended.stderr


def test_a_folder_without_one_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoEmbeddedAws, match="mlplatform local up"):
        server.running(tmp_path)

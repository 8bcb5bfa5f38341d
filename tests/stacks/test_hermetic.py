"""Does every environment, in every partition, synthesize on any machine, and always to the same bytes?"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.stacks.machine import ENVIRONMENTS, REGIONS

ROOT = Path(__file__).parents[2]
MACHINE = Path(__file__).with_name("machine.py")
PLACES = [(partition, environment) for partition in REGIONS for environment in ENVIRONMENTS]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """What two machines made that have nothing in common but the commit."""
    here = tmp_path_factory.mktemp("here")
    there = tmp_path_factory.mktemp("over") / "there"
    clone(ROOT, here / "checkout")
    clone(here / "checkout", there / "and" / "elsewhere")
    running = [
        start(here, here / "checkout", PYTHONHASHSEED="1", TZ="Pacific/Kiritimati", LC_ALL="C", USER="alice"),
        start(
            there,
            there / "and" / "elsewhere",
            "backwards",
            PYTHONHASHSEED="2",
            TZ="America/Los_Angeles",
            LC_ALL="tr_TR.UTF-8",
            USER="bob",
        ),
    ]
    for process in running:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
    return here / "out", there / "out"


def clone(checkout: Path, to: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("src", "stacks"):
        shutil.copytree(checkout / name, to / name, copy_function=shutil.copyfile, ignore=ignore)
    for name in ("app.py", "cdk.json"):
        shutil.copyfile(checkout / name, to / name)


def start(machine: Path, checkout: Path, *options: str, **environment: str) -> subprocess.Popen[str]:
    """On a machine with an empty home, no credentials, nothing on its PATH and no network."""
    home = machine / "home"
    (home / "empty").mkdir(parents=True)
    return subprocess.Popen(
        [*without_network(), sys.executable, MACHINE, checkout, machine / "out", *options],
        cwd=home,
        env={
            "HOME": str(home),
            "TMPDIR": str(home),
            "PATH": str(home / "empty"),  # neither Docker nor Node nor the AWS CLI
            "JSII_NODE": os.environ["JSII_NODE"],
            "CDK_VALIDATION": "false",
            "PYTHONPATH": str(checkout / "src"),
            "HTTPS_PROXY": "http://127.0.0.1:9",  # nobody listens, where the machine cannot take the network away
            **environment,
        },
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@cache
def without_network() -> tuple[str, ...]:
    """The command that runs another in a network of nobody; none where the system cannot."""
    unshare = shutil.which("unshare")
    command = (unshare or "", "--map-root-user", "--net")
    possible = unshare and subprocess.run([*command, "true"], check=False, capture_output=True).returncode == 0
    return command if possible else ()


def digests(folder: Path) -> Mapping[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(("partition", "environment"), PLACES)
def test_two_machines_synthesize_the_same_bytes(machines: tuple[Path, Path], partition: str, environment: str) -> None:
    first, second = (digests(out / partition / environment) for out in machines)

    serves_in_two = environment == "prod" and partition != "aws-us-gov"
    assert sum(name.endswith(".template.json") for name in first) == (11 if serves_in_two else 6)
    assert {name for name in first.keys() | second.keys() if first.get(name) != second.get(name)} == set()


@pytest.mark.parametrize(("partition", "environment"), PLACES)
def test_every_arn_is_of_the_regions_partition(machines: tuple[Path, Path], partition: str, environment: str) -> None:
    folder = machines[0] / partition / environment
    templates = {path.name: path.read_text() for path in folder.glob("*/*.template.json")}

    others = [f"arn:{other}:" for other in REGIONS if other != partition]
    assert [(name, other) for name, text in templates.items() for other in others if other in text] == []
    assert any(f"arn:{partition}:" in text for text in templates.values())

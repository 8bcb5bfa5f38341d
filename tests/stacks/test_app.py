"""Does the app of cdk.json synthesize on any machine, and always to the same bytes?"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk

ROOT = Path(__file__).parents[2]
CDK_JSON = json.loads((ROOT / "cdk.json").read_text())


def start_app(home: Path, outdir: Path, *, hash_seed: str, zone: str, **context: Any) -> subprocess.Popen[str]:
    home.mkdir(parents=True)
    environment = {
        "HOME": str(home),
        "PATH": str(Path(sys.executable).parent),  # neither Docker nor the AWS CLI
        "JSII_NODE": os.environ["JSII_NODE"],
        "CDK_VALIDATION": "false",
        "CDK_OUTDIR": str(outdir),
        "CDK_CONTEXT_JSON": json.dumps({**CDK_JSON["context"], **context}),
        "PYTHONHASHSEED": hash_seed,
        "TZ": zone,
        "HTTPS_PROXY": "http://127.0.0.1:9",  # nobody listens: a look-up would fail
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return subprocess.Popen(
        [sys.executable, str(ROOT / "app.py")],
        cwd=home,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def digests(folder: Path) -> Mapping[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_two_synths_on_different_machines_are_byte_equal(tmp_path: Path) -> None:
    outs = tmp_path / "here" / "cdk.out", tmp_path / "over" / "there" / "cdk.out"
    apps = [
        start_app(tmp_path / "alice", outs[0], hash_seed="1", zone="Pacific/Kiritimati", environment="prod"),
        start_app(tmp_path / "bob", outs[1], hash_seed="2", zone="America/Los_Angeles", environment="prod"),
    ]
    for app in apps:
        _, errors = app.communicate(timeout=120)
        assert app.returncode == 0, errors

    first, second = map(digests, outs)

    assert {name for name in first.keys() | second.keys() if first.get(name) != second.get(name)} == set()


def test_a_misspelt_environment_ends_in_one_sentence(tmp_path: Path) -> None:
    app = start_app(tmp_path / "home", tmp_path / "cdk.out", hash_seed="0", zone="UTC", environment="pord")

    _, errors = app.communicate(timeout=60)

    assert app.returncode == 1
    assert errors.strip() == "the environment must be one of dev, staging, prod, got 'pord'"


def test_every_feature_flag_that_the_installed_cdk_recommends_is_set() -> None:
    (bundle,) = Path(aws_cdk.__file__).parent.glob("_jsii/aws-cdk-lib@*.jsii.tgz")
    with tarfile.open(bundle) as package:
        flags = package.extractfile("package/recommended-feature-flags.json")
        assert flags is not None
        recommended = json.load(flags)

    flags = {name: value for name, value in CDK_JSON["context"].items() if name.startswith("@")}

    assert flags == recommended


def test_the_app_reads_its_context_and_no_environment_variable() -> None:
    sources = [ROOT / "app.py", *(ROOT / "stacks").glob("*.py")]

    assert [source.name for source in sources if re.search(r"\b(environ|getenv)\b", source.read_text())] == []

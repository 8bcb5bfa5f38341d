"""Does the app of cdk.json say what it lacks, and is it as new as the CDK that it runs on?"""

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import aws_cdk

ROOT = Path(__file__).parents[2]
CDK_JSON = json.loads((ROOT / "cdk.json").read_text())


def test_a_misspelt_environment_ends_in_one_sentence(tmp_path: Path) -> None:
    asked = {
        "JSII_NODE": os.environ["JSII_NODE"],
        "CDK_OUTDIR": str(tmp_path / "cdk.out"),
        "CDK_CONTEXT_JSON": json.dumps({**CDK_JSON["context"], "environment": "pord"}),
    }
    app = subprocess.run(
        [sys.executable, ROOT / "app.py"], env=asked, capture_output=True, text=True, check=False, timeout=60
    )

    assert app.returncode == 1
    assert app.stderr.strip() == "the environment must be one of dev, staging, prod, got 'pord'"


# What constructs are made of, for CDK's makers: nothing is sent without versionReporting, so that gathering it would
# cost every synthesis for nobody.
COLLECTED = "@aws-cdk/core:enableAdditionalMetadataCollection"


def test_every_feature_flag_that_the_installed_cdk_recommends_is_set_but_the_one_that_collects_for_nobody() -> None:
    (bundle,) = Path(aws_cdk.__file__).parent.glob("_jsii/aws-cdk-lib@*.jsii.tgz")
    with tarfile.open(bundle) as package:
        flags = package.extractfile("package/recommended-feature-flags.json")
        assert flags is not None
        recommended = json.load(flags)

    flags = {name: value for name, value in CDK_JSON["context"].items() if name.startswith("@")}

    assert CDK_JSON["versionReporting"] is False
    assert flags == recommended | {COLLECTED: False}


def test_the_app_reads_its_context_and_no_environment_variable() -> None:
    sources = [ROOT / "app.py", *(ROOT / "stacks").glob("*.py")]

    assert [source.name for source in sources if re.search(r"\b(environ|getenv)\b", source.read_text())] == []

"""The app of cdk.json as another machine runs it: every environment in every partition, one after the other.

Called as ``machine.py CHECKOUT OUTDIR [backwards]``: a process of its own, whose environment the Node kernel copies.
"""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import aws_cdk

ENVIRONMENTS = ("dev", "staging", "prod")
# One region of each partition; dev, staging and prod keep their own in AWS's commercial one.
REGIONS = {"aws": None, "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}


def main(checkout: Path, outdir: Path, *, backwards: bool) -> None:
    context = json.loads((checkout / "cdk.json").read_text())["context"]
    assemblies = [(partition, environment) for partition in REGIONS for environment in ENVIRONMENTS]
    for partition, environment in reversed(assemblies) if backwards else assemblies:
        asked: dict[str, Any] = {**context, "environment": environment}
        if REGIONS[partition]:
            asked["region"] = REGIONS[partition]
        synthesize(checkout, asked, outdir / partition / environment)


def synthesize(checkout: Path, context: dict[str, Any], outdir: Path) -> None:
    class ToldApp(aws_cdk.App):
        def __init__(self) -> None:
            super().__init__(context=context, outdir=str(outdir))

    app = runpy.run_path(str(checkout / "app.py"))
    app["main"].__globals__["App"] = ToldApp
    app["main"]()


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    main(Path(sys.argv[1]), Path(sys.argv[2]), backwards="backwards" in sys.argv[3:])

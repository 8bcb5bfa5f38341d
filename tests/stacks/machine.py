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
# What each partition asks for; dev, staging and prod keep their own regions in AWS's commercial one.
REGIONS: dict[str, dict[str, str]] = {
    "aws": {},
    # Route 53 routes nothing between its regions: one region, and no name.
    "aws-us-gov": {"region": "us-gov-west-1", "also_in": "", "domain_name": ""},
    "aws-cn": {"region": "cn-north-1"},
}
ALSO_IN = {("aws-cn", "prod"): "cn-northwest-1"}


def main(checkout: Path, outdir: Path, *, backwards: bool) -> None:
    context = json.loads((checkout / "cdk.json").read_text())["context"]
    assemblies = [(partition, environment) for partition in REGIONS for environment in ENVIRONMENTS]
    for partition, environment in reversed(assemblies) if backwards else assemblies:
        asked: dict[str, Any] = {**context, "environment": environment, **REGIONS[partition]}
        if (partition, environment) in ALSO_IN:
            asked["also_in"] = ALSO_IN[partition, environment]
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

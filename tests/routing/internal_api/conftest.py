"""The program of docs/internal-apis.md, synthesized once, with cdk-nag's four packs looking on."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Validations
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "internal-apis.md"


class Inside:
    """What the page's program makes."""

    def __init__(self, outdir: Path) -> None:
        (program, *_) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
        self.names: dict[str, Any] = {}
        program = program.replace('"examples/', f'"{ROOT}/examples/')
        exec(program.replace("App()", f"App(outdir={str(outdir)!r})"), self.names)
        app: App = self.names["app"]
        s3.CfnBucket(self.names["stack"], "Unchecked")
        packs = (AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks)
        Validations.of(app).add_plugins(*(pack(app) for pack in packs))
        with suppress(RuntimeError):  # for the bucket
            app.synth()
        self.findings = (outdir / "validation-report.json").read_text()
        (self.template,) = outdir.glob("*.template.json")
        self.text = self.template.read_text()
        self.resources: dict[str, dict[str, Any]] = json.loads(self.text)["Resources"]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [one["Properties"] for one in self.resources.values() if one["Type"] == kind]

    def only(self, kind: str, which: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        (found,) = filter(which, self.of_type(kind))
        return found

    def refers(self, id: str) -> dict[str, Any]:
        """The properties of the resource with this logical id."""
        found: dict[str, Any] = self.resources[id]["Properties"]
        return found


@pytest.fixture(scope="session")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Inside:
    return Inside(tmp_path_factory.mktemp("inside"))

"""Does the registry say which one version is in production?"""

from types import SimpleNamespace
from typing import Any

import pytest

from mlplatform_cdk.release.blue_green.runtime import production
from mlplatform_cdk.runtimekit import aws


class FakeRegistry:
    """The registry's marks, which moto does not keep."""

    def __init__(self, **marks: str) -> None:
        self.marks = marks

    def get_paginator(self, _operation: str) -> "FakeRegistry":
        return self

    def paginate(self, **_names: str) -> list[dict[str, Any]]:
        listed = [
            {"ModelPackageArn": arn, "ModelLifeCycle": {"Stage": "Production", "StageStatus": status}}
            for arn, status in self.marks.items()
        ]
        return [{"ModelPackageSummaryList": [*listed, {"ModelPackageArn": "unmarked"}]}]

    def update_model_package(self, **request: Any) -> None:
        self.marks[request["ModelPackageArn"]] = request["ModelLifeCycle"]["StageStatus"]


def test_the_registry_has_one_version_in_production_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = FakeRegistry(one="Retired", two="InService", three="InService")
    monkeypatch.setattr(aws, "client", lambda _service: registry)

    former = production.mark("four", "churn", description="released")

    assert former == ["two", "three"]
    assert registry.marks == {"one": "Retired", "two": "Retired", "three": "Retired", "four": "InService"}


def test_a_reason_of_several_lines_becomes_the_one_line_that_sagemaker_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """ApprovalDescription is ``.*`` in botocore's model, and 1,024 characters at most."""
    asked: list[str] = []
    registry = SimpleNamespace(update_model_package=lambda **request: asked.append(request["ApprovalDescription"]))
    monkeypatch.setattr(aws, "client", lambda _service: registry)

    production.reject("four", "ann: calls complain\n\nand so does the shop\n" + "x" * 2000)

    (said,) = asked
    assert said.startswith("ann: calls complain and so does the shop xxx")
    assert len(said) == 1024

"""Does the quantization step take what training left, and leave what evaluation takes?"""

import json
import shutil
from pathlib import Path

import pytest

from mlplatform_cdk.runtimekit.manifest import read_archive
from tests.training.jobs import rehearsal


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A base folder with a trained model and its dataset as the step's inputs."""
    tree = rehearsal.ship(tmp_path / "tree")
    data = rehearsal.preprocess(tree, tmp_path / "p", {"a.csv": rehearsal.breast_cancer()})
    trained = rehearsal.train(tree, tmp_path / "t", data.output("dataset"), {})
    assert trained.code == 0, trained.reason
    inputs = tmp_path / "q" / "processing" / "input"
    shutil.copytree(data.output("dataset"), inputs / "dataset")
    (inputs / "model").mkdir()
    rehearsal.pack(trained.base / "model", inputs / "model" / "model.tar.gz")
    return tmp_path


def test_a_quantized_archive_is_judged_like_any_other(prepared: Path) -> None:
    tree, base = prepared / "tree", prepared / "q"

    ran = rehearsal.run_job(tree, "quantize", base, {"PRECISIONS": "fp16,int8", "LEAST_GAIN": "1000"})

    assert ran.code == 0, ran.reason or ran.errors
    archive = ran.output("quantized") / "model.tar.gz"
    report = json.loads((ran.output("quantized") / "quantization.json").read_text(encoding="utf-8"))
    assert [one["precision"] for one in report["outcomes"]] == ["fp16", "int8"]
    assert [one["made"] for one in report["outcomes"]] == [False, False]
    assert report["outcomes"][0]["reason"] == "its weights are none that fp16 halves"
    assert read_archive(archive).file("fp32")
    dataset = base / "processing" / "input" / "dataset"
    judged = rehearsal.evaluate(tree, prepared / "e", dataset, archive)
    assert judged.code == 0, judged.reason or judged.errors
    assert json.loads((judged.output("evaluation") / "evaluation.json").read_text(encoding="utf-8"))["accepted"] is True


def test_without_a_model_the_step_says_so(tmp_path: Path) -> None:
    tree = rehearsal.ship(tmp_path / "tree")

    ran = rehearsal.run_job(tree, "quantize", tmp_path / "q", {})

    assert ran.code == 1
    assert ran.reason == "the input model must hold one model archive (.tar.gz), got none"

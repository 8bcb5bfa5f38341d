"""Is a model quantized before it is judged, and does a step that cannot be taken say so?"""

import json
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.synthesize import synthesize
from mlplatform_cdk.cli.demo.data import breast_cancer_csv
from mlplatform_cdk.cli.demo.executions import Executions
from mlplatform_cdk.cli.demo.report import ExecutionReport
from mlplatform_cdk.local import deploy
from tests.end_to_end.rehearsal import LABEL_COLUMN, PATIENCE_SECONDS, Rehearsal, packages_of


class Reworked:
    """The app ``reworked`` on the embedded AWS, and what its runs leave."""

    def __init__(self, rehearsal: Rehearsal, outputs: dict[str, str]) -> None:
        self.client, self.outputs = rehearsal.client, outputs
        self.pipelines = {
            name: Executions(self.client("stepfunctions"), outputs[f"{name.capitalize()}Pipeline"], name)
            for name in ("network", "small")
        }
        for name in self.pipelines:
            data = breast_cancer_csv(LABEL_COLUMN).encode()
            self.client("s3").put_object(Bucket=outputs["Lake"], Key=f"raw/{name}/patients.csv", Body=data)

    def run(self, name: str) -> ExecutionReport:
        pipeline = self.pipelines[name]
        return pipeline.follow(pipeline.next_after(set(), PATIENCE_SECONDS), PATIENCE_SECONDS, lambda _state: None)

    def left_by(self, run: ExecutionReport, path: str) -> bytes:
        answer = self.client("s3").get_object(Bucket=self.outputs["Bucket"], Key=f"runs/{run.name}/{path}")
        body: bytes = answer["Body"].read()
        return body

    def outcomes(self, run: ExecutionReport) -> dict[str, dict[str, Any]]:
        """What quantization reports, by precision."""
        report = json.loads(self.left_by(run, "quantized/quantization.json"))
        return {one["precision"]: one for one in report["outcomes"]}


@pytest.fixture(scope="module")
def reworked(rehearsal: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> Reworked:
    """Both pipelines, each with a run on its way."""
    folder = tmp_path_factory.mktemp("reworked") / "cdk.out"
    assembly = read(synthesize(Path(__file__).parent / "reworked", folder, validate=False))
    (stack,) = deploy.deploy(assembly, rehearsal.settings).stacks
    return Reworked(rehearsal, dict(stack.outputs))


def test_a_network_is_registered_with_the_precisions_that_it_got(reworked: Reworked) -> None:
    run = reworked.run("network")

    assert (run.status, run.cause) == ("SUCCEEDED", None)
    assert "Quantize" in [state.name for state in run.states]
    outcomes = reworked.outcomes(run)
    made = {name for name, one in outcomes.items() if one["made"]}
    # Whether int8 pays is for the machine to say; nothing else may keep it from this model.
    assert "int8" in made or "times asked for" in outcomes["int8"]["reason"]
    assert "fp16" in made
    archive = reworked.left_by(run, "quantized/model.tar.gz")
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        names = set(tar.getnames())
    manifest = json.loads(reworked.left_by(run, "evaluation/manifest.json"))
    assert {one["precision"] for one in manifest["files"]} == {"fp32", *made}
    assert (manifest["serving"] or {}).get("precision") == ("int8" if "int8" in made else None)
    assert names == {one["path"] for one in manifest["files"]} | {"manifest.json", "quantization.json"}
    (package,) = packages_of(reworked.client("sagemaker"), reworked.outputs["Models"])
    described = reworked.client("sagemaker").describe_model_package(ModelPackageName=package)
    (container,) = described["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"].endswith(f"/runs/{run.name}/quantized/model.tar.gz")
    assert float(described["CustomerMetadataProperties"]["metric_roc_auc"]) > 0.9


def test_a_model_that_int8_cannot_help_goes_on_and_without_a_gpu_nothing_is_compiled(reworked: Reworked) -> None:
    run = reworked.run("small")

    outcome = reworked.outcomes(run)["int8"]
    assert (outcome["made"], outcome["reason"].split(",")[0]) == (
        False,
        "no layer of it is a MatMul",
    )
    assert (run.status, run.error) == ("FAILED", "Compile")
    assert run.cause == "a TensorRT engine needs a GPU and TensorRT, got a machine with no GPU"

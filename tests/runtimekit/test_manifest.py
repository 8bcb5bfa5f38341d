"""Does a manifest survive its own JSON, and is a wrong one told in one sentence?"""

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlplatform_cdk.runtimekit.manifest import (
    DTYPES,
    GoldenRequest,
    ImagePreprocessing,
    Manifest,
    ManifestError,
    ModelFile,
    Serving,
    Tensor,
    json_schema,
    read_archive,
    sha256_of,
    unpack_all,
    unpack_archive,
)

SCHEMA_FILE = Path(__file__).parents[2] / "docs" / "model-manifest.schema.json"
ROW = Tensor(name="features", dtype="float32", shape=("batch", 2), columns=("a", "b"))
LABEL = Tensor(name="label", dtype="int64", shape=("batch",))
GOLDEN = GoldenRequest(name="one", inputs={"features": [[1.0, None]]}, outputs={"label": [1]})
MANIFEST = Manifest(
    model_name="churn",
    run_id="run-1",
    dataset_version="v1",
    dataset_uri="s3://lake/raw/churn/",
    code_version="1.0.0",
    algorithm={"name": "logistic-regression"},
    files=(ModelFile(precision="fp32", path="model.fp32.onnx", opset=17, sha256="00"),),
    inputs=(ROW,),
    outputs=(LABEL,),
    content_types=("application/json",),
    preprocessing=("missing values become the column's median",),
    golden_requests=(GOLDEN,),
    latency_budget_ms=50.0,
    labels=("no", "yes"),
)

texts = st.text(max_size=20)
finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    finite | texts | st.booleans() | st.none() | st.integers(), lambda inner: st.lists(inner, max_size=3)
)
tensors = st.builds(
    Tensor,
    name=texts,
    dtype=st.sampled_from(DTYPES),
    shape=st.lists(st.integers(0, 9) | texts, max_size=3).map(tuple),
    units=st.none() | texts,
)

whole = st.none() | st.integers(1, 99)
servings = st.none() | st.builds(
    Serving,
    precision=st.sampled_from([None, "fp32", "fp16", "int8"]),
    engine=st.sampled_from([None, "onnxruntime", "openvino", "cuda", "tensorrt"]),
    max_batch_size=whole,
    max_batch_delay_ms=st.none() | st.floats(0, 30),
    lanes=whole,
    processes=whole,
    streaming=st.booleans(),
)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    inputs = tuple(draw(st.lists(tensors, min_size=1, max_size=2, unique_by=lambda one: one.name)))
    outputs = tuple(draw(st.lists(tensors, min_size=1, max_size=2, unique_by=lambda one: one.name)))
    golden = GoldenRequest(
        name=draw(texts),
        inputs={one.name: draw(values) for one in inputs},
        outputs={one.name: draw(values) for one in outputs},
        absolute_tolerance=draw(st.floats(0, 1)),
    )
    return replace(
        MANIFEST,
        model_name=draw(texts),
        algorithm=draw(st.dictionaries(texts, texts, max_size=3)),
        inputs=inputs,
        outputs=outputs,
        golden_requests=(golden,),
        labels=tuple(draw(st.lists(texts, max_size=3))),
        metrics=draw(st.dictionaries(texts, finite, max_size=3)),
        latency_budget_ms=draw(st.floats(0.001, 1e6)),
        serving=draw(servings),
    )


@settings(max_examples=100, deadline=None)
@given(manifests())
def test_a_manifest_survives_its_json_and_fits_its_schema(manifest: Manifest) -> None:
    text = manifest.to_json()

    assert Manifest.from_json(text) == manifest
    assert Manifest.from_json(text).to_json() == text
    jsonschema.validate(json.loads(text), json_schema())


def test_an_image_input_survives_its_json() -> None:
    image = ImagePreprocessing(layout="NHWC", fit="crop", resize=6, mean=(0.5, 0.4, 0.3), std=(0.1, 0.2, 0.3))
    tensor = Tensor(name="features", dtype="float32", shape=("batch", 4, 5, 3), image=image)
    manifest = replace(MANIFEST, inputs=(tensor,))

    assert Manifest.from_json(manifest.to_json()) == manifest
    assert image.size("features", tensor.shape) == (4, 5)
    jsonschema.validate(json.loads(manifest.to_json()), json_schema())


def test_a_manifest_without_the_optional_fields_has_no_word_about_them() -> None:
    text = MANIFEST.to_json()

    assert "serving" not in text
    assert "image" not in text


def test_the_schema_in_the_documents_is_the_one_that_the_code_has() -> None:
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == json_schema(), "run `make docs`"


def test_the_schema_is_valid_and_describes_every_field() -> None:
    schema = json_schema()

    jsonschema.Draft202012Validator.check_schema(schema)
    records = [one for one in schema["$defs"].values() if "properties" in one]
    assert len(records) == 6
    assert all(field["description"] for one in records for field in one["properties"].values())


def without(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(MANIFEST.to_json())
    del value[name]
    return value


def with_(name: str, item: object) -> dict[str, Any]:
    return json.loads(MANIFEST.to_json()) | {name: item}


def picture(**changes: Any) -> dict[str, Any]:
    return with_("inputs", [{"name": "x", "dtype": "float32", "shape": ["batch", 3, 4, 4], "image": {}} | changes])


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([], "manifest must be an object, got a list"),
        (without("files"), "manifest must have files, got "),
        (with_("color", 1), "manifest must have only model_name, "),
        (with_("run_id", 7), "manifest.run_id must be a text, got 7"),
        (with_("latency_budget_ms", "5"), "manifest.latency_budget_ms must be a number, got '5'"),
        (with_("latency_budget_ms", True), "manifest.latency_budget_ms must be a number, got True"),
        (with_("latency_budget_ms", 0), "manifest.latency_budget_ms must be more than 0, got 0.0"),
        (with_("files", []), "manifest.files must have at least one entry, got none"),
        (with_("labels", ["a", 1]), "manifest.labels[1] must be a text, got 1"),
        (with_("metrics", {"auc": "high"}), "manifest.metrics.auc must be a number, got 'high'"),
        (with_("format_version", 2), "manifest.format_version must be one of 1, got 2"),
        (
            with_("inputs", [{"name": "x", "dtype": "float33", "shape": ["batch"]}]),
            "manifest.inputs[0].dtype must be one of float32, float64, ",
        ),
        (
            with_("inputs", [{"name": "x", "dtype": "float32", "shape": [1.5]}]),
            "manifest.inputs[0].shape[0] must be an integer or a text, got 1.5",
        ),
        (
            with_("inputs", [{"name": "x", "dtype": "float32", "shape": [-1]}]),
            "a dimension of the tensor x must not be negative, got [-1]",
        ),
        (
            with_("inputs", [{"name": "features", "dtype": "float32", "shape": ["batch", 3], "columns": ["a"]}]),
            "the tensor features must have as many columns as its last axis (3), got 1",
        ),
        (
            with_("files", [{"precision": "fp32", "path": "../x.onnx", "opset": 17, "sha256": ""}]),
            "the path of a model file must stay inside the archive, got '../x.onnx'",
        ),
        (with_("serving", 5), "manifest.serving must be an object, got 5"),
        (with_("serving", None), "manifest.serving must be an object, got None"),
        (with_("serving", {"precision": "int4"}), "manifest.serving.precision must be one of fp32, fp16, int8, got "),
        (with_("serving", {"lanes": 0}), "manifest.serving.lanes must be at least 1, got 0"),
        (with_("serving", {"lanes": "2"}), "manifest.serving.lanes must be an integer, got '2'"),
        (
            with_("serving", {"max_batch_delay_ms": 31}),
            "manifest.serving.max_batch_delay_ms must be from 0 to 30, got 31.0",
        ),
        (
            with_("inputs", [{"name": "features", "dtype": "float32", "shape": ["batch", 2], "image": {}}]),
            "the image input features must have the shape N3HW with a fixed height and width, got ['batch', 2]",
        ),
        (picture(shape=["batch", 3, 0, 4]), "the image input x must have a height and a width of at least 1, got "),
        (picture(image={"mean": [0.5]}), "mean of the image input x must have a number per channel, got [0.5]"),
        (picture(image={"std": [1, 0, 1]}), "std of the image input x must not be 0, got [1.0, 0.0, 1.0]"),
        (
            picture(image={"resize": 256}),
            "resize of the image input x must come with fit 'crop' and cover 4 x 4, got 'stretch' and 256",
        ),
        (picture(dtype="int64"), "the image input x must be of float32, float64 or float16, or of uint8 without "),
        (
            with_("golden_requests", [{"name": "g", "inputs": {"other": 1}, "outputs": {"label": [1]}}]),
            "the golden request g must use the model's tensors, got others",
        ),
    ],
)
def test_a_wrong_manifest_is_told_in_one_sentence(value: object, sentence: str) -> None:
    with pytest.raises(ManifestError) as raised:
        Manifest.from_json(json.dumps(value))

    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("no json", "the manifest must be JSON, got something else (Expecting value: line 1 column 1 (char 0))"),
        ('{"metrics": {"auc": NaN}}', "the manifest must hold finite numbers, got NaN"),
    ],
)
def test_a_text_that_is_no_manifest_is_told_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ManifestError) as raised:
        Manifest.from_json(text)

    assert str(raised.value) == sentence


def archive_of(folder: Path, **files: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_bytes(content)
    with tarfile.open(folder.parent / "model.tar.gz", "w:gz") as tar:
        tar.add(folder, ".")
    return folder.parent / "model.tar.gz"


def test_an_archive_gives_its_manifest_back_with_the_very_files_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"weights")
    file = ModelFile(precision="fp32", path="model.onnx", opset=17, sha256=sha256_of(tmp_path / "model.onnx"))
    manifest = replace(MANIFEST, files=(file,))
    archive = archive_of(tmp_path / "good", manifest_json=manifest.to_json().encode(), model_onnx=b"weights")
    (tmp_path / "into").mkdir()

    assert read_archive(archive) == manifest
    assert unpack_archive(archive, tmp_path / "into") == manifest
    assert (tmp_path / "into" / "model.onnx").read_bytes() == b"weights"


def test_an_archive_whose_files_are_missing_or_others_is_refused(tmp_path: Path) -> None:
    text = MANIFEST.to_json().encode()
    (tmp_path / "into").mkdir()

    with pytest.raises(ManifestError, match=r"must hold model\.fp32\.onnx of its manifest, got manifest\.json$"):
        unpack_archive(archive_of(tmp_path / "bare", manifest_json=text), tmp_path / "into")
    with pytest.raises(ManifestError, match=r"must hold manifest\.json, got x\.onnx; train it with"):
        read_archive(archive_of(tmp_path / "other", x_onnx=b"x"))
    with pytest.raises(ManifestError, match=r"the model archive none\.tar\.gz must be a readable tar file, got "):
        read_archive(tmp_path / "none.tar.gz")


def test_metrics_are_added_without_touching_the_rest() -> None:
    measured = MANIFEST.with_metrics({"roc_auc": 0.9})

    assert measured.metrics == {"roc_auc": 0.9}
    assert replace(measured, metrics={}) == MANIFEST


@pytest.mark.parametrize("has_filters", [True, False], ids=["tarfile has filters", "Python before 3.11.4"])
@pytest.mark.parametrize(
    "member",
    [
        pytest.param({"name": "../out.txt"}, id="a way out"),
        pytest.param({"name": "link", "type": tarfile.SYMTYPE, "linkname": "../../out.txt"}, id="a link out"),
    ],
)
def test_nothing_is_unpacked_outside_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, member: dict[str, Any], *, has_filters: bool
) -> None:
    if not has_filters:
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        info = tarfile.TarInfo()
        for name, value in member.items():
            setattr(info, name, value)
        archive.addfile(info)
    content.seek(0)
    folder = tmp_path / "model"
    folder.mkdir()

    with tarfile.open(fileobj=content) as archive, pytest.raises(tarfile.TarError):
        unpack_all(archive, folder)

    assert [*folder.iterdir()] == []
    assert [*tmp_path.iterdir()] == [folder]


def test_a_python_without_filters_unpacks_what_lies_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        info = tarfile.TarInfo("inner/weights.bin")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    content.seek(0)

    with tarfile.open(fileobj=content) as archive:
        unpack_all(archive, tmp_path)

    assert (tmp_path / "inner" / "weights.bin").read_bytes() == b"abc"

"""Does every asset boot alone, with only what its host gives it?"""

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly import reader
from mlplatform_cdk.assembly.reader import Stack
from mlplatform_cdk.core.assets import kit_of
from mlplatform_cdk.serving.container import sbom

SOURCE = Path(__file__).parents[2] / "src" / "mlplatform_cdk"

BOOT = "import sys; sys.path[:0] = sys.argv[2:]; import importlib; print(importlib.import_module(sys.argv[1]).__file__)"
# A process for each module, which has what others ship already, and of ours nothing but what it imports.
BOOT_EACH = """
import importlib, os, sys, traceback
sys.path[:0], names = sys.argv[1:3], sys.argv[3:]
for theirs in ("numpy", "onnx", "onnxruntime", "skl2onnx", "sklearn", "boto3"):
    try:
        importlib.import_module(theirs)
    except ImportError:
        pass
assert not [name for name in sys.modules if name.startswith("mlplatform_cdk")]
for name in names:
    pid = os.fork()
    if not pid:
        try:
            importlib.import_module(name)
            os.write(1, f"{name}\\n".encode())
        except BaseException:  # to end as usual would wait for threads that only the parent has
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0, name
"""


def boot(module: str, *path: Path) -> subprocess.CompletedProcess[str]:
    """Import ``module`` in an interpreter that sees neither this environment nor its site-packages."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", BOOT, module, *map(str, path)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.defpath},
    )


def functions(stack: Stack) -> Iterator[tuple[str, str, Path]]:
    """Logical id, handler and asset of each Lambda function."""
    files, _ = stack.assets(account="123456789012", region="us-east-1")
    folders = {file.key: file.path for file in files}
    for logical_id, resource in stack.template["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Function":
            key: str = resource["Properties"]["Code"]["S3Key"]
            yield logical_id, resource["Properties"]["Handler"], folders[key]


def test_every_function_boots_from_its_asset_with_the_standard_library_alone(dev_assembly: Path) -> None:
    found = [entry for stack in reader.read(dev_assembly).all_stacks() for entry in functions(stack)]

    for logical_id, handler, folder in found:
        module, _, function = handler.rpartition(".")
        result = boot(module, folder)
        assert result.returncode == 0, f"{logical_id}: {result.stderr}"
        assert result.stdout.startswith(str(folder)), f"{logical_id} booted {result.stdout}, not its own asset"
        assert f"def {function}(" in Path(result.stdout.strip()).read_text()
    assert len(found) >= 6


def test_an_asset_ships_its_runtime_and_parts_of_the_runtime_kit_and_nothing_else(dev_assembly: Path) -> None:
    for stack in reader.read(dev_assembly).all_stacks():
        for logical_id, handler, folder in functions(stack):
            own = Path(*handler.split(".")[:-2])
            shipped = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
            foreign = {
                path
                for path in shipped - {Path("mlplatform_cdk/__init__.py")}
                if own not in path.parents and Path("mlplatform_cdk/runtimekit") not in path.parents
            }
            assert not foreign, f"{logical_id} ships {sorted(map(str, foreign))}"


RUNTIMES = sorted(path for path in SOURCE.rglob("runtime") if path.is_dir())


def imported(file: Path) -> Iterator[str]:
    """The dotted names of ours that a module imports, at its top or in a function."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file} imports by a relative name, which kit_of does not follow"
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("runtime", RUNTIMES, ids=lambda path: ".".join(path.relative_to(SOURCE).parts[:-1]))
def test_a_function_ships_all_that_it_imports_from_the_kit(runtime: Path) -> None:
    package = ".".join(runtime.relative_to(SOURCE.parent).parts)
    kept = [runtime, *(SOURCE.parent.joinpath(*place) for place in kit_of(package))]
    files = [file for place in kept for file in ([place] if place.is_file() else place.rglob("*.py"))]

    names = {name for file in files for name in imported(file) if name.startswith("mlplatform_cdk.runtimekit.")}
    parts = {name.split(".")[2] for name in names}
    assert parts <= {place.stem for place in kept}
    assert len(kept) < len(list((SOURCE / "runtimekit").iterdir())), "the whole kit"


def requirements_of(context: Path, dockerfile: str) -> Iterator[str]:
    text = (context / Path(dockerfile).parent / "requirements.txt").read_text()
    for name, marker in re.findall(r"^([A-Za-z0-9._-]+)==\S+(?: ; (.*?))? ?\\?$", text, re.MULTILINE):
        if not marker or "win32" not in marker:
            yield name


@pytest.fixture
def only(tmp_path: Path) -> Any:
    def link(names: Iterator[str]) -> Path:
        """A folder that holds just the named distributions, as the image's pip install would leave it."""
        for name in names:
            try:
                files = importlib.metadata.files(name) or []
            except importlib.metadata.PackageNotFoundError:
                continue  # a marker that is false here
            for top in {file.parts[0] for file in files if file.parts[0] not in {"..", "__pycache__"}}:
                source = Path(str(importlib.metadata.distribution(name).locate_file(top)))
                if not (tmp_path / top).exists():
                    (tmp_path / top).symlink_to(source)
        return tmp_path

    return link


@pytest.mark.parametrize("image", ["training", "serving"])
def test_every_module_of_an_image_boots_with_its_requirements_alone(dev_assembly: Path, only: Any, image: str) -> None:
    dockerfile = f"mlplatform_cdk/{image}/container/Dockerfile"
    images = {
        found.dockerfile: found.directory
        for stack in reader.read(dev_assembly).all_stacks()
        for found in stack.assets(account="123456789012", region="us-east-1")[1]
    }
    context = images[dockerfile]
    packages = only(requirements_of(context, dockerfile))

    names = (".".join(path.relative_to(context).with_suffix("").parts) for path in sorted(context.rglob("*.py")))
    modules = [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]
    each = [sys.executable, "-I", "-S", "-B", "-c", BOOT_EACH, *map(str, (context, packages)), *modules]
    result = subprocess.run(each, capture_output=True, text=True, check=False, env={"PATH": os.defpath})

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split() == modules


def exported(*arguments: str) -> str:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "uv", "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project"]
    command += ["--prune", "aws-cdk-lib", "--prune", "constructs", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout


TOOLS_ONLY = [
    word for name in ("flatbuffers", "openvino-telemetry", "packaging", "protobuf") for word in ("--prune", name)
]
SERVING = ("--extra", "serving", "--extra", "cache")
OPENVINO = (*SERVING, "--extra", "openvino")
GPU = ("--only-group", "serving-gpu")


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        (("--extra", "jobs"), "training/container/requirements.txt"),
        ((*SERVING, *TOOLS_ONLY), "serving/container/requirements.txt"),
        ((*OPENVINO, *TOOLS_ONLY), "serving/container/requirements-openvino.txt"),
        ((*GPU, *TOOLS_ONLY), "serving/container/requirements-gpu.txt"),
    ],
)
def test_requirements_are_those_of_the_lock(arguments: tuple[str, ...], file: str) -> None:
    shipped = (SOURCE / file).read_text()

    assert shipped == exported("--no-header", *arguments), "run: make requirements"


def test_base_images_are_named_by_digest_and_jobs_stand_on_what_serves() -> None:
    bases = {
        file.relative_to(SOURCE).as_posix(): re.findall(r"^ARG BASE_IMAGE=(.*)$", file.read_text(), re.MULTILINE)
        for file in SOURCE.rglob("Dockerfile*")
    }

    assert len(bases) == 3
    for (base,) in bases.values():
        assert re.fullmatch(r"\S+:[\w.-]+@sha256:[0-9a-f]{64}", base)
    assert bases["training/container/Dockerfile"] == bases["serving/container/Dockerfile"]


@pytest.mark.parametrize(("arguments", "file"), [(OPENVINO, "sbom.cdx.json"), (GPU, "sbom-gpu.cdx.json")])
def test_bills_of_materials_are_those_of_the_lock(arguments: tuple[str, ...], file: str) -> None:
    shipped = json.loads((SOURCE / "serving/container" / file).read_text())
    made = json.loads(exported(*arguments, *TOOLS_ONLY, "--format", "cyclonedx1.5"))

    # The tool's own version is whoever's ran it.
    assert {**shipped, "metadata": 0} == {**sbom.reproducible(made), "metadata": 0}, "run: make requirements"


def test_templates_of_the_dev_environment_name_no_other_account(dev_assembly: Path) -> None:
    for stack in reader.read(dev_assembly).all_stacks():
        accounts = set(re.findall(r"(?<![0-9a-f])\d{12}(?![0-9a-f])", json.dumps(stack.template)))
        assert accounts <= {stack.account}


def test_what_sagemaker_runs_runs_as_root_as_it_expects(dev_assembly: Path) -> None:
    (serving,) = {
        found.build_arguments["RUN_AS"]
        for stack in reader.read(dev_assembly).all_stacks()
        for found in stack.assets(account="123456789012", region="us-east-1")[1]
        if found.dockerfile.startswith("mlplatform_cdk/serving/")
    }

    assert serving == "0:0"
    assert not re.search(r"^USER\b", (SOURCE / "training/container/Dockerfile").read_text(), re.MULTILINE)


def test_no_image_reports_to_the_maker_of_its_runtime() -> None:
    recipes = sorted(SOURCE.rglob("container/Dockerfile*"))

    assert len(recipes) >= 3
    assert not [str(recipe) for recipe in recipes if "ENV ORT_DISABLE_TELEMETRY=1 " not in recipe.read_text()]

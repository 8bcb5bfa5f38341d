"""Does ``mlplatform init`` write an app that stands at once, and refuse what could not?"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlplatform_cdk.assembly.synthesize import synthesize
from mlplatform_cdk.cli.new_app import AppName
from mlplatform_cdk.cli.new_app.sources import OWN, SHARED
from mlplatform_cdk.runtimekit.release_address import PREFIX

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("mlplatform")


def init(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, "init", *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def churn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("apps")
    result = init(folder, "churn")
    assert result.returncode == 0, result.stderr
    assert "churn is written: 11 stacks" in result.stdout
    return folder / "churn"


def texts(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def test_a_new_app_passes_its_own_tests(churn: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=churn,
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
    )

    assert result.returncode == 0, result.stdout
    assert " skipped" not in result.stdout


def test_its_tests_notice_a_change_of_a_stack(churn: Path) -> None:
    snapshot = churn / "tests" / "snapshots" / "Data.json"
    before = snapshot.read_text()
    snapshot.write_text(before.replace("AWS::S3::Bucket", "AWS::S3::Basket"))

    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_snapshots.py"],
        cwd=churn,
        capture_output=True,
        text=True,
        check=False,
    )

    snapshot.write_text(before)
    assert result.returncode == 1
    assert "Data changed; review it and accept it with UPDATE_SNAPSHOTS=1 pytest" in result.stdout


def test_it_is_made_of_the_files_that_this_repository_deploys(churn: Path) -> None:
    for here, there in SHARED.items():
        if here.endswith(".py") and not here.startswith("examples"):
            assert (churn / there).read_text() == (ROOT / here).read_text().replace("MlPlatform-", "Churn-")
    ours = {path.name for path in (ROOT / "stacks").glob("*.py")} - {"breast_cancer.py"}
    assert ours | {"model.py"} == {path.name for path in (churn / "stacks").glob("*.py")}
    assert json.loads((churn / "cdk.json").read_text()) == json.loads((ROOT / "cdk.json").read_text())


def test_nothing_in_it_is_named_after_our_own_platform(churn: Path) -> None:
    for path, text in texts(churn).items():
        own = text.replace("mlplatform-cdk", "")
        if path.startswith("tests/snapshots/"):
            # The library's: by these ``mlplatform release``, ``mlplatform region`` and trains find what any app has.
            for prefix in (PREFIX, "/mlplatform/names/", "/mlplatform/regions/", "/mlplatform/train/"):
                own = own.replace(prefix, "")
        for name in ("MlPlatform", "/mlplatform/", "mlplatform-", "breast", "tumour", "{{name}}", "{{version}}"):
            assert name not in own, f"{path} says {name}"


def test_every_environment_of_it_and_its_pipeline_synthesize(churn: Path, tmp_path: Path) -> None:
    settings = json.loads((churn / "cdk.json").read_text())
    (churn / "cdk.json").write_text(json.dumps({**settings, "app": "python delivery.py"}))
    try:
        assembly = synthesize(churn, tmp_path / "cdk.out", validate=False)
    finally:
        (churn / "cdk.json").write_text(json.dumps(settings, indent=2) + "\n")

    for environment in ("Dev", "Staging", "Prod"):
        assert (assembly / f"assembly-Churn-{environment}" / "manifest.json").exists()
    assert (assembly / "Churn-Delivery.template.json").exists()


def test_production_of_it_passes_the_check_at_once(churn: Path, tmp_path: Path) -> None:
    assembly = synthesize(churn, tmp_path / "cdk.out", context={"environment": "prod"}, validate=False)

    result = subprocess.run(
        [PROGRAM, "check", assembly, "--acknowledgements", "reviewed/check.yaml"],
        cwd=churn,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_the_workflows_are_those_that_the_documentation_shows(churn: Path) -> None:
    files = ROOT / "src/mlplatform_cdk/cli/init_files"

    for name in ("github-workflow.yml", "gitlab-ci.yml"):
        assert (churn / OWN[name]).read_text() == (files / name).read_text()


def test_a_folder_with_something_in_it_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "churn").mkdir()
    (tmp_path / "churn" / "notes.txt").write_text("mine")

    result = init(tmp_path, "churn")

    assert result.returncode == 2
    assert result.stderr.strip() == (
        "failed: churn must be empty or new, got a folder with 1 entry; name another with --folder"
    )
    assert [path.name for path in (tmp_path / "churn").iterdir()] == ["notes.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "apps").write_text("mine")

    result = init(tmp_path, "churn", "--folder", "apps")

    assert result.returncode == 2
    assert result.stderr.strip() == "failed: apps must be a folder, got a file; name another with --folder"


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("Churn", "churn"),
        ("CreditRisk", "credit-risk"),
        ("credit_risk", "credit-risk"),
        ("2fast", "fast"),
        ("-", "churn"),
        ("../churn", "churn"),
        ("churn--model", "churn-model"),
        ("a" * 33, "a" * 32),
    ],
)
def test_a_bad_name_is_answered_with_the_rule_and_a_good_one(name: str, suggestion: str) -> None:
    with pytest.raises(ValueError, match="the name must be lower-case letters") as error:
        AppName(name)

    assert str(error.value) == (
        "the name must be lower-case letters, digits and single hyphens, begin with a letter and have at most 32 "
        f"characters, got {name!r}; try {suggestion!r}"
    )
    assert AppName(suggestion).text == suggestion


@pytest.mark.parametrize("name", ["aws-churn", "ssm", "mlplatform-cdk"])
def test_names_that_others_keep_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"the name must not be"):
        AppName(name)


def test_the_command_refuses_a_bad_name_before_it_writes_anything(tmp_path: Path) -> None:
    result = init(tmp_path, "Churn")

    assert result.returncode == 2
    assert result.stderr.startswith("failed: the name must be lower-case letters")
    assert list(tmp_path.iterdir()) == []

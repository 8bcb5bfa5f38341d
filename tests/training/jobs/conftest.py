"""One trained model for all tests of the jobs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.jobs import rehearsal
from tests.training.jobs.rehearsal import Finished


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rehearsal.ship(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="session")
def dataset(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    ended = rehearsal.preprocess(tree, tmp_path_factory.mktemp("preprocess"), {"a.csv": rehearsal.breast_cancer()})
    assert ended.code == 0, ended.reason or ended.errors
    return ended.output("dataset")


@pytest.fixture(scope="session")
def train(tree: Path, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Finished]:
    def run(hyperparameters: dict[str, str], source: Path = dataset, **environment: str) -> Finished:
        return rehearsal.train(tree, tmp_path_factory.mktemp("train"), source, hyperparameters, **environment)

    return run


@pytest.fixture(scope="session")
def good(train: Callable[..., Finished]) -> Path:
    """The folder of a model that works."""
    ended = train({})
    assert ended.code == 0, ended.reason or ended.errors
    return ended.base / "model"

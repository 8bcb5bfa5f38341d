"""What if a model is asked for again at the very moment at which it has to make room?"""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from mlplatform_cdk.local.adapters.endpoints.multi_model import Shelf, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class Full:
    """A container with room for one model; an unload waits until it is let through."""

    def __init__(self) -> None:
        self.models: dict[str, Path] = {}
        self.unloading, self.let_through, self.unloaded = threading.Event(), threading.Event(), threading.Event()

    def send(self, method: str, path: str, body: bytes | None) -> Any:
        if method == "DELETE":
            self.unloading.set()
            assert self.let_through.wait(10)
            self.models.pop(path.split("/")[2])
            self.unloaded.set()
            return SimpleNamespace(status=200, data=b"")
        told = json.loads(body or b"")
        if told["model_name"] in self.models:
            return SimpleNamespace(status=409, data=b"")
        if self.models:
            return SimpleNamespace(status=507, data=b"full")
        self.models[told["model_name"]] = Path(told["url"])
        return SimpleNamespace(status=200, data=b"")


class Stocked(Shelf):
    """Its models come from nowhere."""

    def _fetch(self, target: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model").write_text(target)


@pytest.fixture
def full() -> Full:
    return Full()


@pytest.fixture
def shelf(full: Full, tmp_path: Path) -> Iterator[Shelf]:
    made = Stocked(SimpleNamespace(), tmp_path, "eu-central-1", full.send)  # type: ignore[arg-type]
    yield made
    made.close()


def test_a_model_that_is_being_unloaded_is_not_held_but_loaded_again(full: Full, shelf: Shelf) -> None:
    held = threading.Event()

    def ask(target: str) -> str:
        with shelf.holding(target) as name:
            held.set()
            assert full.unloaded.wait(10)
            return (full.models[name] / "model").read_text()

    with shelf.holding("a"):
        pass
    with ThreadPoolExecutor(2) as callers:
        other = callers.submit(ask, "b")
        assert full.unloading.wait(10)
        again = callers.submit(ask, "a")
        assert not held.wait(0.2)
        full.let_through.set()

        assert (other.result(20), again.result(20)) == ("b", "a")


def test_a_request_that_outlives_its_model_does_not_count_for_the_next_one_of_that_name(
    full: Full, shelf: Shelf
) -> None:
    full.let_through.set()
    with shelf.holding("a"):
        shelf.forget("a")  # the container was started again
        full.models.clear()
        with shelf.holding("a"):
            pass
    with shelf.holding("b") as name:
        assert list(full.models) == [name] == [name_of("b")]

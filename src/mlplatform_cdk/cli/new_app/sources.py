"""Where the files of a new app come from: this project's own, by their place in a checkout or in the wheel.

The wheel carries them under ``init_files/shared`` (``force-include`` in pyproject.toml), a checkout at its root.
"""

from collections.abc import Iterator
from pathlib import Path

_OWN = Path(__file__).parents[1] / "init_files"
_SHARED = "shared"
# In the checkout -> in the new app.
SHARED = {
    "app.py": "app.py",
    "cdk.json": "cdk.json",
    "examples/delivery.py": "delivery.py",
    "stacks": "stacks",
    "tests/stacks/test_environments.py": "tests/test_environments.py",
    "tests/stacks/test_snapshots.py": "tests/test_snapshots.py",
}
# What cannot stand under its own name in a package.
OWN = {
    "README.md.template": "README.md",
    "conftest.py.template": "tests/conftest.py",
    "github-workflow.yml": ".github/workflows/platform.yml",
    "gitignore.template": ".gitignore",
    "gitlab-ci.yml": ".gitlab-ci.yml",
    "pyproject.toml.template": "pyproject.toml",
    "reviewed/check.yaml": "reviewed/check.yaml",
    "reviewed/diff.yaml": "reviewed/diff.yaml",
}


def shared_files() -> Iterator[tuple[str, str]]:
    """Path in the new app, and text, of each file that this project itself uses."""
    packed = _OWN / _SHARED
    root = packed if packed.exists() else Path(__file__).parents[4]
    for here, there in SHARED.items():
        # The wheel already holds them under their names in the new app.
        source = root / (there if root == packed else here)
        for path in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            yield (Path(there) / path.relative_to(source)).as_posix(), path.read_text(encoding="utf-8")


def own_files() -> Iterator[tuple[str, str]]:
    """Path in the new app, and text, of each file that only a new app has."""
    for here, there in OWN.items():
        yield there, (_OWN / here).read_text(encoding="utf-8")

"""One virtual environment per server, from a file of pinned hashes: a server meets what its own authors test with."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
PLACE = ROOT / ".tools" / "peers"
OURS, OURS_OPENVINO = "mlplatform", "mlplatform-openvino"
_CONTAINER = ROOT / "src/mlplatform_cdk/serving/container"
_REQUIREMENTS = {
    OURS: _CONTAINER / "requirements.txt",
    OURS_OPENVINO: _CONTAINER / "requirements-openvino.txt",
}


def requirements(name: str) -> Path:
    """The pins of ``name``: ours are those of the images."""
    return _REQUIREMENTS.get(name, PEERS / f"{name}.txt")


def make(name: str) -> Path:
    """The interpreter of the environment ``name``, which is made when its pins changed."""
    folder, pins = PLACE / name, requirements(name)
    python, done = folder / "bin" / "python", folder / "pins.txt"
    if done.exists() and done.read_bytes() == pins.read_bytes():
        return python
    _uv("venv", "--clear", "--python", sys.executable, folder)
    _uv("pip", "sync", "--require-hashes", "--python", python, pins)
    start = PEERS / f"{name}_sitecustomize.py"
    if start.exists():
        shutil.copy(start, _packages(folder) / "sitecustomize.py")
    shutil.copy(pins, done)
    return python


def installed_bytes(name: str) -> int:
    """What the packages of ``name`` take, without their bytecode, which depends on what has run."""
    files = (path for path in _packages(PLACE / name).rglob("*") if path.suffix != ".pyc")
    return sum(path.lstat().st_size for path in files if not path.is_dir())


def _packages(folder: Path) -> Path:
    (found,) = (folder / "lib").glob("python*/site-packages")
    return found


def _uv(*words: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "uv", *words[:1], "--quiet", *words[1:]], check=True)  # noqa: S603

"""Writes a new app: every name of this project's own model becomes that of the new one."""

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from mlplatform_cdk.assembly.snapshots import templates, write_snapshots
from mlplatform_cdk.assembly.synthesize import SynthesisFailed, synthesize
from mlplatform_cdk.cli.console import CommandFailed
from mlplatform_cdk.cli.new_app.name import AppName
from mlplatform_cdk.cli.new_app.sources import own_files, shared_files

_MODEL = "stacks/breast_cancer.py"
_NEW_MODEL = "stacks/model.py"
_OUR_MODEL = (
    "The model that the platform ships with: is a tumour malignant, by a biopsy's image? scikit-learn holds the data."
)
_MODELS_WORDS = {
    _OUR_MODEL: "The model: the data it learns from, and how good it has to be. Begin here.",
    '"diagnosis"': '"label"',
}


def write(app: AppName, folder: Path) -> None:
    """Write the app called ``app`` to ``folder``, which is made where there is none."""
    for path, text in shared_files():
        mine = _replaced(text, _MODELS_WORDS) if path == _MODEL else text
        _put(folder / (_NEW_MODEL if path == _MODEL else path), _renamed(mine, app))
    version = importlib.metadata.version("mlplatform-cdk")
    for path, text in own_files():
        _put(folder / path, text.replace("{{name}}", app.text).replace("{{version}}", version))


def review(folder: Path) -> list[str]:
    """Synthesize production and write the snapshots that its tests compare with; the names of its stacks."""
    with TemporaryDirectory() as scratch:
        try:
            assembly = synthesize(
                folder,
                Path(scratch) / "cdk.out",
                context={"environment": "prod"},
                validate=False,
                variables={"PYTHONDONTWRITEBYTECODE": "1"},  # the new folder holds what was written, and no cache
            )
        except SynthesisFailed as failure:
            raise CommandFailed(f"{folder} is written, but it does not synthesize here: {failure}") from failure
        found = templates(assembly)
        write_snapshots(found, folder / "tests" / "snapshots")
    return sorted(found)


def _renamed(text: str, app: AppName) -> str:
    """Stages, parameters, the domain, the group and the endpoint, so that two apps can share an account."""
    for ours, theirs in {
        "MlPlatform-": f"{app.pascal}-",
        "/mlplatform/": f"/{app.text}/",
        "mlplatform-{": f"{app.text}-{{",
        "breast-cancer": app.text,
        "breast_cancer": "model",
    }.items():
        text = text.replace(ours, theirs)
    return text


def _replaced(text: str, lines: Mapping[str, str]) -> str:
    for ours, theirs in lines.items():
        if ours not in text:
            raise LookupError(f"{_MODEL} must hold {ours!r}; say here what took its place")
        text = text.replace(ours, theirs)
    return text


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")

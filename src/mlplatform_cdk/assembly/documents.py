"""The JSON files of a cloud assembly, people's YAML files, and the sentences for those that are missing or broken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.errors import AssemblyError

if TYPE_CHECKING:
    from pathlib import Path


def load(path: Path, what: str) -> dict[str, Any]:
    """The JSON object in ``path``, which is the assembly's ``what``."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssemblyError(f"{path} does not exist, so there is no {what}; synthesize first, with cdk synth") from None
    except NotADirectoryError:
        raise AssemblyError(f"{path.parent} is a file; name the folder of a {what}, such as cdk.out") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise AssemblyError(f"{path} is not the JSON of a {what}: {error}") from None
    if not isinstance(document, dict):
        raise AssemblyError(f"{path} must hold a JSON object, the {what}, got {type(document).__name__}")
    return document


def load_yaml(path: Path, what: str) -> Any:
    """What the YAML file ``path`` holds, which is somebody's file of ``what``."""
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssemblyError(f"{path} does not exist; name a file of {what} that does") from None
    except IsADirectoryError:
        raise AssemblyError(f"{path} is a folder; name a file of {what}") from None
    except (yaml.YAMLError, ValueError) as error:  # the latter: no UTF-8, or a day that no calendar has
        raise AssemblyError(f"{path} must be YAML, got: {' '.join(str(error).split())}") from None


def member(document: dict[str, Any], key: str, where: str) -> Any:
    """``document[key]``, which ``where`` must have."""
    if key not in document:
        raise AssemblyError(f"{where} has no {key!r}, which every cloud assembly has; was it written by another tool?")
    return document[key]

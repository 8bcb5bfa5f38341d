"""What an image holds, as a CycloneDX document: the lock's, narrowed at the build to what was really installed.

It runs in the builder by its path, so it is the standard library's alone.
"""

import json
import re
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

_SEPARATORS = re.compile(r"[-_.]+")
# A document made anew from the same lock must be the same bytes.
_CHANGES_EACH_TIME = ("serialNumber", "timestamp")


class NotInTheLock(ValueError):
    """Something is installed that the lock does not name."""


def reproducible(document: dict[str, Any]) -> dict[str, Any]:
    """``document`` without what differs between two runs of the same export."""
    kept = {name: value for name, value in document.items() if name not in _CHANGES_EACH_TIME}
    metadata = {name: value for name, value in document["metadata"].items() if name not in _CHANGES_EACH_TIME}
    return kept | {"metadata": metadata}


def installed(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """``document`` with just the components that lie in ``folder``.

    :param folder: where pip put the distributions.
    """
    found = {_key(item.metadata["Name"], item.version) for item in distributions(path=[str(folder)])}
    components = [item for item in document["components"] if _key(item["name"], item["version"]) in found]
    unnamed = found - {_key(item["name"], item["version"]) for item in components}
    if unnamed:
        raise NotInTheLock(f"every package must be one of the lock's, got {sorted(unnamed)}; run: make requirements")
    kept = {item["bom-ref"] for item in components}
    root = document["metadata"]["component"]["bom-ref"]
    arrows = [_narrowed(arrow, kept) for arrow in document.get("dependencies", []) if arrow["ref"] in kept | {root}]
    return document | {"components": components, "dependencies": arrows}


def _narrowed(arrow: dict[str, Any], kept: set[str]) -> dict[str, Any]:
    targets = [target for target in arrow.get("dependsOn", []) if target in kept]
    return {"ref": arrow["ref"], "dependsOn": targets} if targets else {"ref": arrow["ref"]}


def _key(name: str, version: str) -> tuple[str, str]:
    return _SEPARATORS.sub("-", name).lower(), version


def main(arguments: list[str]) -> int:
    """``reproducible`` reads an export from stdin; ``installed FOLDER DOCUMENT`` narrows one; both write to stdout."""
    match arguments:
        case ["reproducible"]:
            document = reproducible(json.load(sys.stdin))
        case ["installed", folder, path]:
            document = installed(json.loads(Path(path).read_text(encoding="utf-8")), Path(folder))
        case _:
            sys.stderr.write("usage: sbom.py reproducible | sbom.py installed FOLDER DOCUMENT\n")
            return 2
    sys.stdout.write(json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

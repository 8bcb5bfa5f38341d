"""What the cdk CLI calls in place of ``docker`` (its ``CDK_DOCKER``): images become folders of the embedded AWS.

The CLI builds, tags and pushes an image asset with this program alone; nothing is built that a rehearsal cannot run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local import images, settings
from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.local.publish import register_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlplatform_cdk.local.settings import Settings

_REGISTRY = re.compile(r"\d+\.dkr\.ecr\.([^.]+)\.[^/]+/([^:]+):(.+)")


class NotOurs(ValueError):
    """Something that only Docker can do."""


def write_program(here: Settings) -> Path:
    """A program for ``CDK_DOCKER``, in the state folder; it goes with the embedded AWS."""
    path = here.state_dir / "docker"
    command = f"{settings.SETTINGS_VARIABLE}={shlex.quote(here.to_json())} exec {shlex.quote(sys.executable)}"
    # -P: it runs in the folder that is built, where a pruned tree of this package may lie.
    path.write_text(f'#!/bin/sh\n{command} -P -m mlplatform_cdk.local.docker "$@"\n')
    path.chmod(0o755)
    return path


def main(arguments: list[str] | None = None) -> int:
    """Do what the cdk CLI asks of docker; the exit status."""
    verb, *rest = sys.argv[1:] if arguments is None else arguments
    verbs: dict[str, Callable[[list[str], Settings], int]] = {
        "login": lambda _rest, _here: 0,
        "inspect": lambda words, here: 0 if _record(words[-1], here).exists() else 1,
        "build": _build,
        "images": _images,
        "tag": _tag,
        "push": lambda words, here: _push(words[-1], here),
    }
    if verb not in verbs:
        sys.stderr.write(f"the embedded AWS has no docker {verb}\n")
        return 1
    try:
        return verbs[verb](rest, settings.current())
    except (NotOurs, images.DockerfileError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


def _tag(arguments: list[str], here: Settings) -> int:
    old, new = arguments[-2:]
    _keep(new, json.loads(_record(old, here).read_text()), here)
    return 0


def _images(arguments: list[str], here: Settings) -> int:
    """The names that match: the cdk CLI looks for what it has built for another region."""
    parser = argparse.ArgumentParser(prog="docker images", allow_abbrev=False)
    parser.add_argument("--format", required=True, choices=["{{.Repository}}:{{.Tag}}"])
    parser.add_argument("--filter", required=True)
    asked = parser.parse_args(arguments)
    kind, _, pattern = asked.filter.partition("=")
    if kind != "reference":
        raise NotOurs(f"docker images --filter {asked.filter} cannot be rehearsed without Docker")
    names = [json.loads(path.read_text())["name"] for path in sorted(_record("", here).parent.glob("*.json"))]
    sys.stdout.writelines(f"{name}\n" for name in names if fnmatchcase(name, pattern))
    return 0


def _build(arguments: list[str], here: Settings) -> int:
    """Remember what was asked for; the folder is made when the image's address is known, at the push."""
    parser = argparse.ArgumentParser(prog="docker build", allow_abbrev=False)
    parser.add_argument("--tag", required=True)
    parser.add_argument("--file", default="Dockerfile")
    parser.add_argument("--target")
    parser.add_argument("--build-arg", action="append", default=[])
    parser.add_argument("--platform")
    parser.add_argument("context")
    asked, unknown = parser.parse_known_args(arguments)
    if unknown:
        raise NotOurs(f"docker build {' '.join(unknown)} cannot be rehearsed without Docker")
    arguments_of = dict(argument.split("=", 1) for argument in asked.build_arg)
    context = str(Path(asked.context).resolve())
    _keep(asked.tag, {"context": context, "file": asked.file, "target": asked.target, "arguments": arguments_of}, here)
    return 0


def _push(uri: str, here: Settings) -> int:
    match = _REGISTRY.fullmatch(uri)
    if match is None:
        raise NotOurs(f"{uri} is in no registry of the embedded AWS")
    region, repository, tag = match.groups()
    asked = json.loads(_record(uri, here).read_text())
    context = Path(asked["context"])
    tree = images.publish(
        context,
        uri,
        settings=here,
        dockerfile=os.path.relpath(context / asked["file"], context),
        target=asked["target"],
        build_arguments=asked["arguments"],
    )
    register_image(Administrator(here), region, repository, tag)
    for note in tree.notes:
        sys.stderr.write(f"{note}\n")
    return 0


def _keep(name: str, asked: dict[str, Any], here: Settings) -> None:
    _record(name, here).write_text(json.dumps(asked | {"name": name}))


def _record(name: str, here: Settings) -> Path:
    folder = here.state_dir / "docker-builds"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', name)}.json"


if __name__ == "__main__":
    raise SystemExit(main())

"""What is shipped to AWS: the package tree, pruned to what one function or image needs.

The rooms' ``__init__.py`` (which import aws_cdk) stay behind, so Python sees namespace packages and one absolute,
importable dotted name holds in a test, in Lambda and in a container. No Docker, no bundling; the asset's hash is the
same from a checkout and from an installed wheel.
"""

import re
from functools import cache
from pathlib import Path

from aws_cdk import IgnoreMode
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from mlplatform_cdk.core.hooks import hooked_code

SOURCE_ROOT = Path(__file__).parents[2]
RUNTIMEKIT = "mlplatform_cdk.runtimekit"
_NEVER = ["__pycache__", "*.pyc"]
# Two ways to name parts of the kit: `from mlplatform_cdk.runtimekit import aws, logs` and the dotted name of one.
_NAMED = re.compile(rf"\bfrom {re.escape(RUNTIMEKIT)} import (\([^)]*\)|[^\n]*)|\b{re.escape(RUNTIMEKIT)}\.(\w+)")


def runtime_code(package: str, hook: Path | None = None) -> lambda_.Code:
    """Lambda code that holds ``package`` and what it needs of the shared runtime kit, and nothing else.

    :param package: the dotted name of a ``runtime`` package, such as ``mlplatform_cdk.data.ingest.runtime``.
    :param hook: a folder of the user's own, which the code finds as ``hook/``, with the whole kit; default: none.
    """
    if hook is not None:
        return hooked_code(package, RUNTIMEKIT, source=SOURCE_ROOT, hook=hook)
    return lambda_.Code.from_asset(str(SOURCE_ROOT), exclude=_keep_only_of(package), ignore_mode=IgnoreMode.GIT)


@cache
def kit_of(package: str) -> tuple[tuple[str, ...], ...]:
    """The places of those modules and folders of the runtime kit that ``package`` names, and that these name in turn.

    Each file is copied into each function's asset at each synthesis, and loaded from it at each cold start.
    """
    kit = _place(RUNTIMEKIT)
    needed, looked_through = {(*kit, "__init__.py")}, set[tuple[str, ...]]()
    todo = {_place(package)}
    while todo:
        place = todo.pop()
        looked_through.add(place)
        needed |= {(*kit, part) for part in map(_part, _names_in(place)) if part}
        todo |= needed - looked_through
    return tuple(sorted(needed))


@cache
def _names_in(place: tuple[str, ...]) -> frozenset[str]:
    """The words that may name parts of the kit in a module, or in all modules of a folder."""
    found = SOURCE_ROOT.joinpath(*place)
    files = [found] if found.is_file() else sorted(found.rglob("*.py"))
    named = [match for file in files for match in _NAMED.findall(file.read_text(encoding="utf-8"))]
    return frozenset(word for several, one in named for word in (*re.findall(r"\w+", several), one) if word)


@cache
def _part(name: str) -> str | None:
    """What ``name`` is called in the kit's folder; None where it is no part of the kit."""
    kit = SOURCE_ROOT.joinpath(*_place(RUNTIMEKIT))
    return next((part for part in (f"{name}.py", name) if (kit / part).exists()), None)


def _place(package: str) -> tuple[str, ...]:
    return tuple(package.split("."))


def container_asset(
    scope: Construct,
    id: str,
    *,
    dockerfile_package: str,
    packages: tuple[str, ...] = (),
    platform: ecr_assets.Platform | None = None,
    build_args: dict[str, str] | None = None,
    dockerfile: str = "Dockerfile",
) -> ecr_assets.DockerImageAsset:
    """A container image whose build context is the pruned tree; synth stages it, `cdk deploy` builds it.

    :param dockerfile_package: the dotted name of the package that holds the ``Dockerfile``.
    :param packages: what else the image holds, besides that package and what they need of the kit; default: nothing.
    :param platform: what the image runs on; default: linux/amd64, which every SageMaker job and GPU instance has.
    :param build_args: build arguments of the Dockerfile; default: those that it declares.
    :param dockerfile: its name in that package; default: Dockerfile.
    """
    return ecr_assets.DockerImageAsset(
        scope,
        id,
        directory=str(SOURCE_ROOT),
        file=dockerfile_path(dockerfile_package, dockerfile),
        exclude=_keep_only_of(dockerfile_package, *packages),
        ignore_mode=IgnoreMode.GIT,
        platform=platform or linux_amd64(),
        build_args=build_args,
    )


@cache
def linux_amd64() -> ecr_assets.Platform:
    """The platform of every SageMaker job; a property of a class of CDK is a message to Node each time."""
    return ecr_assets.Platform.LINUX_AMD64


def container_context(
    scope: Construct, id: str, *, dockerfile_package: str, packages: tuple[str, ...] = ()
) -> s3_assets.Asset:
    """The build context of ``container_asset`` as an archive in S3, for an image that is built in AWS.

    :param dockerfile_package: the dotted name of the package that holds the ``Dockerfile``.
    :param packages: what else the image holds, besides that package and what they need of the kit; default: nothing.
    """
    return s3_assets.Asset(
        scope,
        id,
        path=str(SOURCE_ROOT),
        exclude=_keep_only_of(dockerfile_package, *packages),
        ignore_mode=IgnoreMode.GIT,
    )


def dockerfile_path(dockerfile_package: str, dockerfile: str = "Dockerfile") -> str:
    """Where the build context has the Dockerfile of a package."""
    return f"{dockerfile_package.replace('.', '/')}/{dockerfile}"


def _keep_only_of(*packages: str) -> list[str]:
    """Gitignore lines that drop everything except the given packages, and what they need of the runtime kit."""
    kept = [*map(_place, packages), *sorted({place for package in packages for place in kit_of(package)})]
    lines = ["/*"]
    for depth in range(1, max(map(len, kept)) + 1):
        for parts in kept:
            if depth <= len(parts):
                lines.append("!/" + "/".join(parts[:depth]))
            if depth < len(parts):
                lines.append("/" + "/".join([*parts[:depth], "*"]))
    # A parent's "/a/*" comes before the child's "!/a/b" of the next depth; the same line twice would undo that.
    # The top package keeps its own (empty) __init__: where the library is installed too, as in a rehearsal, a regular
    # package there would win over a namespace package here, and the installed code would run instead of the asset's.
    top = dict.fromkeys(f"!/{parts[0]}/__init__.py" for parts in kept)
    return [*dict.fromkeys(lines), *top, *_NEVER]

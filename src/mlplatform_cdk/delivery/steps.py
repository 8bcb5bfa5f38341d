"""What the pipeline does, as values: how the app is built, and which environments follow one another."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from aws_cdk import Stage
from constructs import Construct

_MACHINE = re.compile(r"[A-Za-z0-9_-]{1,80}")
_CDK_CLI = "aws-cdk@2"  # 3.0.0 on npm is an accidental publication


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The commands of the build, each a line of shell, run in the root of the repository.

    No command has a permission beyond reading the source and writing the assembly: synth needs none.

    :param install: what brings in the app's dependencies; default: the ``dev`` extra of ``pyproject.toml``.
    :param test: what must hold before anything is synthesized; default: the app's own tests.
    :param synth: what writes the cloud assembly of the app that holds this pipeline; default: of ``delivery.py``.
    :param check: what must hold for the assembly; default: ``mlplatform check``.
    :param assembly: the folder that ``synth`` writes; default: ``cdk.out``.
    """

    install: tuple[str, ...] = ("python -m pip install --quiet --disable-pip-version-check '.[dev]'",)
    test: tuple[str, ...] = ("python -m pytest -q",)
    synth: tuple[str, ...] = (f"npx --yes {_CDK_CLI} synth --quiet --app 'python delivery.py'",)
    check: tuple[str, ...] = ("mlplatform check cdk.out --acknowledgements reviewed/check.yaml",)
    assembly: str = "cdk.out"

    def __post_init__(self) -> None:
        """Refuse a build that makes nothing to deploy, and a command given as one string."""
        for name in ("install", "test", "synth", "check"):
            commands = getattr(self, name)
            if isinstance(commands, str):
                raise TypeError(f"{name} must be a tuple of commands, got {commands!r}; write ({commands!r},)")
        if not self.synth:
            raise ValueError("synth must have at least one command, got none; without it there is nothing to deploy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One environment on the way.

    :param stage: makes its Stage, such as
        ``lambda app: PlatformStage(app, "MlPlatform-Prod", environment=PROD)``. It is given the app, not the pipeline,
        so that its templates are those of a deployment by hand: CDK writes a construct's whole path into some names.
    :param gate: what a person confirms before it is deployed, one sentence; default: nobody is asked.
    :param train: the name of a ``ReleaseTrain`` in the pipeline's account and region, which is sent off when the
        environment is deployed and must arrive for the pipeline to go on, within seven days; default: none is.
    """

    stage: Callable[[Construct], Stage]
    gate: str | None = None
    train: str | None = None

    def __post_init__(self) -> None:
        """Refuse a gate that asks nothing, and a train that no state machine is named after."""
        if self.train is not None and not _MACHINE.fullmatch(self.train):
            raise ValueError(
                f"train must be the name of a ReleaseTrain, 1 to 80 letters, digits, hyphens and underscores, got "
                f"{self.train!r}"
            )
        if self.gate is not None and not self.gate.strip():
            raise ValueError("gate must say what a person confirms, got an empty text; leave it out to ask nobody")

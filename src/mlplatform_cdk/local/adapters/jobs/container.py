"""A job's container without Docker: SageMaker's folders and files under a base folder, and the image's program."""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local import images, process, settings
from mlplatform_cdk.local.adapters.sagemaker_api import ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mlplatform_cdk.local.process import Child

OPT_ML = "/opt/ml"
HOST = "algo-1"
LONGEST_MESSAGE = 1024


class Container:
    """One job's ``/opt/ml`` and the program that works in it.

    :param folder: all that this job writes on this machine.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = folder / "opt" / "ml"
        self.log_file = folder / "container.log"
        self.stream = f"{HOST}-{int(time.time())}"
        for name in ("input/config", "config", "output/data", "model", "processing"):
            (self.base / name).mkdir(parents=True, exist_ok=True)
        (folder / "home").mkdir(exist_ok=True)

    def path(self, inside: str) -> Path:
        """Where ``/opt/ml/…`` of the container lies on this machine."""
        return self.base / inside.removeprefix(OPT_ML).lstrip("/")

    def write(self, inside: str, content: Any) -> None:
        """Write one of SageMaker's JSON files."""
        file = self.path(inside)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content, default=str))

    def write_hosts(self, instance_type: str) -> None:
        """Tell the program which hosts work on the job: this one."""
        hosts = {
            "current_host": HOST,
            "current_instance_type": instance_type,
            "current_group_name": "homogeneousCluster",
            "hosts": [HOST],
            "instance_groups": [
                {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": [HOST]}
            ],
            "network_interface_name": "eth0",
        }
        self.write("/opt/ml/input/config/resourceconfig.json", hosts)
        self.write("/opt/ml/config/resourceconfig.json", hosts)

    def message(self, name: str) -> str | None:
        """What the program left in ``/opt/ml/output/<name>``, as much of it as SageMaker shows."""
        file = self.base / "output" / name
        if not file.is_file():
            return None
        return file.read_text(errors="replace").strip()[:LONGEST_MESSAGE] or None

    def start(
        self,
        image: str,
        *,
        region: str,
        credentials: Mapping[str, str],
        environment: Mapping[str, str],
        arguments: Sequence[str],
        entrypoint: Sequence[str] | None = None,
    ) -> Child:
        """Start the image's program.

        :param image: the URI that the job asks for.
        :param region: the region of the job.
        :param credentials: of the job's role.
        :param environment: of the job; it wins over the image's.
        :param arguments: what SageMaker appends to the entry point.
        :param entrypoint: instead of the image's own.
        """
        tree = images.resolve(image)
        variables = process.environment_of(
            settings.current(), region=region, credentials=credentials, home=self.folder / "home"
        )
        variables |= {**tree.environment, **environment, process.BASE_DIR: str(self.base)}
        command = tree.command_line(tuple(arguments), entrypoint=tuple(entrypoint or ()))
        return process.start(command, environment=variables, workdir=tree.workdir, log_file=self.log_file)

    def discard(self) -> None:
        """Free the disk, as the end of an instance does; the log stays."""
        shutil.rmtree(self.folder / "opt", ignore_errors=True)
        shutil.rmtree(self.folder / "home", ignore_errors=True)


def require_below(path: str, parent: str) -> None:
    """Refuse a LocalPath that SageMaker would refuse."""
    if not (path == parent or path.startswith(f"{parent}/")) or ".." in path.split("/"):
        raise ValidationError(f"LocalPath must be in {parent}, got {path!r}")

"""Runs an image's server as a container runtime would: namespaces of its own, read-only, as nobody, without a shell."""

import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.serving.oci.build import IMAGE, Built
from benchmarks.serving.oci.tools import Buildah

_FOLDERS = ("opt/ml/model", "proc", "sys", "dev", "tmp")
_SHELLS = ("bash", "dash", "sh")
_WAIT_S = 20.0
# Emulated, a processor is a Neoverse N1, which Graviton2 has. The file is what Linux says of that; qemu 7.2 shows this
# machine's own there, and ONNX Runtime, which looks for arm64's features, does not survive what x86-64 has.
_EMULATED, _CPUINFO = "QEMU_CPU=neoverse-n1", Path(__file__).with_name("neoverse-n1.cpuinfo")


@contextmanager
def running(
    buildah: Buildah, built: Built, model: Path, environment: Mapping[str, str], *, user: str = ""
) -> Iterator[tuple[subprocess.Popen[str], float]]:
    """Start process 1 of a container of ``built``; the process around it, and when it was started.

    :param model: the folder that lies at ``/opt/ml/model``, as SageMaker puts it there.
    :param environment: settings beside those of the image.
    :param user: who starts it, ``<uid>:<gid>``; default: whom the image names.
    """
    config = json.loads(buildah("inspect", "--type", "image", IMAGE))["OCIv1"]["config"]
    uid, _, group = (user or config["User"]).partition(":")
    for name in _FOLDERS:
        (built.root / name).mkdir(parents=True, exist_ok=True)
    settings = [*config["Env"], *(f"{name}={value}" for name, value in environment.items())]
    settings += [_EMULATED] if buildah.emulated else []
    inside = ["--root", str(built.root), "--wd", config["WorkingDir"], "--setuid", uid, "--setgid", group or uid]
    # setuid drops every capability, and no_new_privs keeps it so.
    words = ["setpriv", "--no-new-privs", "--clear-groups", "env", "-i", *settings]
    words += ["unshare", *inside, *config["Entrypoint"], "serve"]
    mounts = _mounts(built.root, model, cpuinfo=_CPUINFO if buildah.emulated else None)
    script = "\n".join(["set -e", *mounts, f"exec {shlex.join(words)}"])
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603
        ["unshare", "--mount", "--pid", "--fork", "sh", "-c", script],  # noqa: S607
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process, started
    finally:
        if process.poll() is None:  # --kill-child would not do: who becomes another user outlives its parent
            with suppress(ProcessLookupError):
                os.kill(child_of(process), signal.SIGKILL)  # and with it, all of its namespace
        process.communicate()


def child_of(process: subprocess.Popen[str]) -> int:
    """The process inside, as the machine counts: 1 for itself."""
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until = time.monotonic() + _WAIT_S
    while time.monotonic() < until:
        children = path.read_text(encoding="ascii").split()
        if children:
            return int(children[0])
        time.sleep(0.001)
    raise TimeoutError("the container did not start")


def _mounts(root: Path, model: Path, *, cpuinfo: Path | None) -> list[str]:
    """Lines of shell; the mounts end with the namespace."""
    target = shlex.quote(str(root))
    hidden = [root / folder / shell for folder in ("bin", "usr/bin") for shell in _SHELLS]
    return [
        f"mount --bind {target} {target}",
        *(f"mount --bind /dev/null {shlex.quote(str(path))}" for path in hidden if path.exists()),
        f"mount -t tmpfs -o nosuid,nodev,noexec tmpfs {target}/tmp",  # noqa: S108 - the container's own
        f"mount --bind {shlex.quote(str(model))} {target}/opt/ml/model",
        f"mount -o remount,ro,bind {target}/opt/ml/model",
        f"mount --rbind /dev {target}/dev",
        f"mount -t proc proc {target}/proc",
        *([f"mount --bind {shlex.quote(str(cpuinfo))} {target}/proc/cpuinfo"] if cpuinfo else []),
        f"mount -t sysfs -o ro,nosuid,nodev,noexec sysfs {target}/sys",
        f"mount -o remount,ro,bind {target}",
    ]

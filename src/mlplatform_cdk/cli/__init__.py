"""The ``mlplatform`` command: what the cdk CLI lacks, one file per verb."""

import sys
import traceback

# What a verb imports that the library alone does not bring, and the extra that brings it.
_EXTRAS = {
    "typer": "cli",
    "rich": "cli",
    "boto3": "local",
    "botocore": "local",
    "moto": "local",
    "numpy": "local",
    "onnx": "local",
    "onnxruntime": "local",
    "psutil": "local",
    "sklearn": "local",
}


def main() -> None:
    """Run the command line; without the extra that a verb needs, say how to get it."""
    try:
        from mlplatform_cdk.cli.main import run

        run()
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package in _EXTRAS:
            extra = _EXTRAS[package]
            sys.stderr.write(
                f"mlplatform needs {package}, which is not installed; run: pip install 'mlplatform-cdk[{extra}]'\n"
            )
        else:
            traceback.print_exc()
        sys.exit(2)  # Python itself would exit with 1, which says that a gate is closed

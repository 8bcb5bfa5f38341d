"""The ``mlplatform`` command: what the cdk CLI lacks, one file per verb."""

import sys


def main() -> None:
    """Run the command line; without the ``cli`` extra, say how to get it."""
    try:
        from mlplatform_cdk.cli.main import run
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] not in {"typer", "rich"}:
            raise
        sys.exit(f"mlplatform needs {missing.name}, which is not installed; run: pip install 'mlplatform-cdk[cli]'")
    run()

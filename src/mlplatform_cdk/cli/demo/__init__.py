"""``mlplatform demo``: the whole path on the embedded AWS, from an object in the lake to a served prediction."""

from typing import Annotated

import typer

from mlplatform_cdk.cli.console import CommandFailed


def demo(
    environment: Annotated[str, typer.Option("--environment", "-e", help="The environment to rehearse.")] = "dev",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON, and nothing else.")] = False,
) -> None:
    """Rehearse the whole path: data into the lake, a model trained, approved, released, asked."""
    try:
        from mlplatform_cdk.cli.demo.verb import run_demo
        from mlplatform_cdk.local import deploy  # noqa: F401 -- whether it is installed
    except ModuleNotFoundError as missing:
        raise CommandFailed(
            f"the demo needs {missing.name}, which is not installed; python -m pip install 'mlplatform-cdk[local]'"
        ) from missing

    run_demo(environment, as_json=as_json)
